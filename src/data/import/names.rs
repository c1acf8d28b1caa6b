//! Names that columns of texts, of labels and of neither have in tables that people share.

/// Names of columns with texts, the surest first.
const TEXT: &str = "text sentence review document comment content body message tweet utterance reviewtext review_text \
    review_body reviewbody comment_text tweet_text full_text clean_text sms post feedback answer \
    response opinion query question statement phrase article passage paragraph description summary \
    headline title subject transcript feature input texts v2 텍스트 리뷰 문장 내용 댓글 본문 문서 후기 의견 발화 발화문 질문 메시지 글 \
    제목 kommentar texte texto avis commentaire bewertungstext satz nachricht テキスト 文本";

/// Names of columns with labels, the surest first.
const LABEL: &str = "label labels class category target sentiment polarity stars star rating score emotion intent \
    topic tag spam is_spam toxic class_label label_text label_name star_rating star_ratings overall \
    classification categories genre output annotation gold gold_label verdict stance v1 y 라벨 레이블 평가 감정 \
    감성 긍부정 분류 카테고리 클래스 평점 별점 점수 정답 의도 주제 urteil bewertung klasse kategorie etiqueta étiquette classe \
    categoria sentimiento ラベル 标签";

/// Names, and words of names, of columns with neither texts nor labels.
const OTHER: &str = "id ids idx index no nr num number unnamed row line key uid uuid guid time timestamp date datetime \
    created year month day user username userid author reviewer name email mail url link file filename \
    path lang language country city location split fold source age gender sex confidence count counts \
    votes helpful length lat lon hash asin isbn price version 번호 순번 아이디 작성자 작성일 날짜 시간 일시 타임스탬프 이름 \
    zeitstempel datum horodateur";

/// How well a name fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NameFit {
    /// The name of a text's column: 1 for the surest name, somewhat less for others and for a word of the name, else 0.
    pub text: f64,
    /// The name of a label's column, likewise.
    pub label: f64,
    /// Whether the name, or its first or last word, is that of another column.
    pub other: bool,
}

impl NameFit {
    /// Returns whether the name is known.
    pub fn is_known(self) -> bool {
        self.text > 0.5 || self.label > 0.5 || self.other
    }
}

/// Judges the name of a column.
pub fn judge(name: &str) -> NameFit {
    let name = name.trim();
    let whole = name.to_lowercase();
    let words = words(name);
    let place = |list: &str, word: &str| list.split(' ').position(|known| known == word);
    let fit = |list: &str| match place(list, &whole) {
        Some(place) => 1.0 - 0.2 * place as f64 / list.split(' ').count() as f64,
        None if words.len() <= 4 && words.iter().any(|word| place(list, word).is_some()) => 0.4,
        None => 0.0,
    };
    let (mut text, mut label) = (fit(TEXT), fit(LABEL));
    let is_other = |word: Option<&String>| word.is_some_and(|word| place(OTHER, word).is_some());
    let other = place(OTHER, &whole).is_some()
        || (text <= 0.5
            && label <= 0.5
            && words.len() <= 4
            && (is_other(words.first()) || is_other(words.last())));
    if other {
        (text, label) = (0.0, 0.0);
    }
    NameFit { text, label, other }
}

/// Splits `review_body`, `reviewBody` and `Review body` into lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && previous_lower) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        previous_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_whole_names_and_words() {
        for name in ["text", "Text", " review ", "document", "리뷰"] {
            assert!(judge(name).text > 0.7, "{name}");
        }
        for name in ["label", "Label", "class", "별점", "stars"] {
            assert!(judge(name).label > 0.7, "{name}");
        }
        assert!(judge("airline_sentiment").label > 0.3);
        assert!(judge("originalText").text > 0.3);
        for name in [
            "review_id",
            "Unnamed: 0",
            "ID",
            "label_id",
            "userName",
            "sentiment_confidence",
        ] {
            let fit = judge(name);
            assert!(fit.other && fit.text == 0.0 && fit.label == 0.0, "{name}");
        }
        assert!(!judge("Would you come again?").is_known());
    }
}

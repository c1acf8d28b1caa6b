//! How a review is built, and the words that carry no opinion. Rules without a grade serve all grades.

use super::super::grammar::Rule;

/// Skeletons, openings, occasions and durations.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    ("review", &[
        "{verdict}{end}", "{verdict}{end}", "{opening} {verdict}{end}", "{opening} {verdict}{end}",
        "{statement}{end}", "{statement}{end}", "{statement}{end}", "{opening} {statement}{end}",
        "{this}{product} {aspect_line}{end}", "{aspect_line}{end}", "{opening} {aspect_line}{end}",
        "{contrast}{end}", "{contrast}{end}", "{compare}{end}", "{opening} {compare}{end}",
        "{verdict}. {fact}{end}", "{verdict}. {advice}{end}", "{statement}. {advice}{end}",
        "{occasion} {verdict}{end}", "{occasion}, {fact}{end}", "{occasion} {aspect_line}{end}", "{service}{end}",
        "{service}. {verdict}{end}", "{compare}. {advice}{end}", "{aspect_line}. {fact}{end}",
    ]),
    ("statement", &["{this}{product} {fact}", "{this}{product}{은} {fact}", "{opening} {this}{product} {fact}"]),
    ("end", &[".", ".", ".", ".", "!"]),
    ("opening", &[
        "솔직히", "{time} 써 보니", "전체적으로", "한마디로", "제 생각엔", "개인적으로", "결론부터 말하면", "{time} 사용 후기:", "{time} 지난 지금",
        "써 본 결과",
    ]),
    ("occasion", &[
        "{person} 선물로 샀는데", "{person}한테 받았는데", "{often} 쓰는데", "{time}째 쓰고 있는데", "{when} 주문했는데", "{place}에서 쓰려고 샀는데",
        "{person}{이} 골랐는데", "새 {product}{이} 필요해서 샀는데", "{time} 동안 써 봤는데",
    ]),
    ("person", &["엄마", "아빠", "언니", "오빠", "동생", "남편", "아내", "아들", "딸", "친구", "직장 동료", "할머니", "삼촌"]),
    ("often", &["매일", "아침마다", "주말마다", "일주일에 두 번", "늘", "가끔"]),
    ("time", &["일주일", "이 주", "한 달", "석 달", "반년", "며칠", "두 달", "한 달 반", "열흘", "일 년", "한 계절"]),
    ("when", &["지난달에", "봄에", "지난주에", "명절 전에", "할인할 때", "급하게", "인터넷으로"]),
    ("place", &["신혼집", "사무실", "작은 방", "자취방", "여행지", "학교"]),
];

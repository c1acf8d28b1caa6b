//! Opinions on a whole product and on its aspects, from one star (1) to five (5).

use super::super::grammar::Rule;

/// Verdicts, qualities, comparisons, recommendations and contrasts by grade.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    ("verdict.5", &[
        "{this}{product}{은} 정말 {praise}", "{this}{product} 진짜 {praise}", "{this}{product}{이} 너무 마음에 들어요",
        "{product} 강력 추천해요", "{this}{product}{을} 산 게 올해 제일 잘한 일이에요", "{product} 덕분에 매일이 즐거워요",
        "기대를 훨씬 뛰어넘는 {product}{이에요}", "흠잡을 데 없는 {product}{이에요}", "{this}{product}에 대만족이에요",
        "돈이 하나도 아깝지 않은 {product}{이에요}", "온 가족이 {this}{product}{을} 정말 좋아해요", "{product} 하나로 삶의 질이 달라졌어요",
        "{this}{product}{과} 사랑에 빠졌어요", "이렇게 좋은 {product}{은} 처음이에요", "{product} 고민하지 말고 꼭 사세요",
    ]),
    ("verdict.4", &[
        "{this}{product}{은} {approval}", "{this}{product} {approval}", "{this}{product}에 만족해요",
        "{product} 잘 산 것 같아요", "{this}{product}{이} 마음에 드는 편이에요", "생각보다 좋은 {product}{이에요}",
        "가격에 비해 괜찮은 {product}{이에요}", "{this}{product}에는 딱히 불만이 없어요", "{product} 사길 잘했어요",
        "걱정했는데 {this}{product}{은} 기대 이상이에요", "{product} 추천할 만해요", "실망하지 않을 {product}{이에요}",
        "{this}{product} 나쁘지 않아요, 꽤 좋아요", "오래 쓰고 싶은 {product}{이에요}", "{this}{product} 값어치는 충분히 해요",
    ]),
    ("verdict.3", &[
        "{this}{product}{은} {shrug}", "{this}{product} {shrug}", "좋지도 나쁘지도 않은 {product}{이에요}",
        "{this}{product}{은} 딱 가격만큼만 해요", "{product} 장점도 있고 단점도 있어요", "특별할 것 없는 {product}{이에요}",
        "{this}{product}{은} 호불호가 갈릴 것 같아요", "{product} 살지 말지 반반이에요", "{this}{product} 기대한 만큼만 해요",
        "다른 {product}{과} 별 차이 없어요", "{this}{product}{은} 보통 수준이에요", "평범한 {product}{이에요}",
    ]),
    ("verdict.2", &[
        "{this}{product}{은} {doubt}", "{this}{product} {doubt}", "{this}{product}에 조금 실망했어요",
        "{product} 괜히 산 것 같아요", "{this}{product}{이} 마음에 들지 않아요", "기대보다 못한 {product}{이에요}",
        "가격에 비해 아쉬운 {product}{이에요}", "{this}{product}에는 불만이 좀 있어요", "{product} 다시 사지는 않을 거예요",
        "기대했는데 {this}{product}{은} 기대 이하예요", "{product} 추천하기는 어려워요", "{this}{product} 사진만 못해요",
        "{this}{product} 좋다고 하기는 어려워요", "오래 쓰기는 힘든 {product}{이에요}", "{this}{product} 제값을 못 해요",
    ]),
    ("verdict.1", &[
        "{this}{product}{은} 정말 {rant}", "{this}{product} 진짜 {rant}", "{this}{product}{이} 너무 싫어요",
        "{product} 절대 사지 마세요", "{this}{product}{을} 산 게 올해 제일 후회되는 일이에요", "{product} 때문에 매일이 짜증 나요",
        "기대를 완전히 저버린 {product}{이에요}", "쓸모라고는 없는 {product}{이에요}", "{this}{product}에 너무 화가 나요",
        "돈이 너무 아까운 {product}{이에요}", "온 가족이 {this}{product}{을} 정말 싫어해요", "{product} 당장 환불받고 싶어요",
        "{this}{product}{은} 쓰레기통에 버렸어요", "이렇게 나쁜 {product}{은} 처음이에요", "{product} 산 걸 뼈저리게 후회해요",
    ]),
    ("this", &["", "이 ", "이 "]),

    ("praise", &["최고예요", "훌륭해요", "완벽해요", "환상적이에요", "끝내줘요", "감동이에요", "대단해요", "사랑스러워요", "뛰어나요", "예술이에요"]),
    ("approval", &[
        "좋아요", "괜찮아요", "쓸 만해요", "꽤 좋네요", "제법 쓸모 있어요", "튼튼해요", "믿을 만해요", "나쁘지 않아요", "생각보다 좋아요", "만족스러워요",
    ]),
    ("shrug", &["그저 그래요", "보통이에요", "무난해요", "평범해요", "그냥 그래요", "좋지도 나쁘지도 않아요", "딱 중간이에요", "특별하지 않아요", "그럭저럭이에요"]),
    ("doubt", &[
        "별로예요", "아쉬워요", "좀 부족해요", "그다지 좋지 않아요", "기대에 못 미쳐요", "허술해요", "좀 실망스러워요", "썩 좋지 않아요", "생각보다 안 좋아요", "불편해요",
    ]),
    ("rant", &["최악이에요", "끔찍해요", "엉망이에요", "형편없어요", "쓰레기예요", "사기예요", "한심해요", "지긋지긋해요", "엉터리예요", "불량품이에요"]),

    ("aspect_line.5", &[
        "{aspect}{이} 정말 {praise}", "{aspect}{이} 너무 마음에 들어요", "{aspect}{은} 더 바랄 게 없어요", "{aspect}{이} 기대를 뛰어넘어요",
        "{aspect}{은} 따라올 제품이 없어요", "무엇보다 {aspect}{이} {praise}",
    ]),
    ("aspect_line.4", &[
        "{aspect}{이} {decent}", "{aspect}{이} 마음에 들어요", "{aspect}{은} 나쁘지 않아요", "{aspect}에는 불만이 없어요",
        "{aspect}에 만족해요", "예전 것보다 {aspect}{이} 좋아요",
    ]),
    ("aspect_line.3", &[
        "{aspect}{은} {shrug}", "{aspect}{은} {good_but} {aspect}{이} {poor}",
        "{aspect}{은} {bad_but} {aspect}{은} {decent}",
    ]),
    ("aspect_line.2", &[
        "{aspect}{이} {poor}", "{aspect}{이} 마음에 안 들어요", "{aspect}{은} 좋지 않아요", "{aspect}에는 불만이 있어요",
        "{aspect}에 실망했어요", "예전 것보다 {aspect}{이} 나빠요",
    ]),
    ("aspect_line.1", &[
        "{aspect}{이} 정말 {bad}", "{aspect}{이} 너무 싫어요", "{aspect}{은} 더 나쁠 수가 없어요", "{aspect}{이} 기대를 저버렸어요",
        "{aspect}{은} 참아 줄 수가 없어요", "무엇보다 {aspect}{이} {bad}",
    ]),
    ("decent", &["좋아요", "괜찮아요", "만족스러워요", "훌륭한 편이에요", "기대보다 나아요", "꽤 좋아요"]),
    ("poor", &["별로예요", "아쉬워요", "불만스러워요", "부족한 편이에요", "기대보다 못해요", "꽤 나빠요"]),
    ("bad", &["최악이에요", "끔찍해요", "엉망이에요", "형편없어요", "어이없어요", "한심해요"]),
    ("good_but", &["좋은데", "괜찮은데", "마음에 드는데", "좋지만", "만족스럽지만", "훌륭하지만"]),
    ("bad_but", &["별로인데", "아쉬운데", "마음에 안 드는데", "나쁘지만", "불만스럽지만", "형편없지만"]),

    ("compare.5", &["예전 {product}{과}는 비교도 안 되게 좋아요", "훨씬 비싼 {product}보다 더 좋아요"]),
    ("compare.4", &["예전 {product}보다 좋아요", "두 배 비싼 {product} 못지않아요"]),
    ("compare.3", &["예전 {product}{과} 비슷해요", "다른 {product}보다 낫지도 못하지도 않아요"]),
    ("compare.2", &["예전 {product}보다 못해요", "반값짜리 {product}보다 나을 게 없어요"]),
    ("compare.1", &["예전 {product}{과}는 비교도 안 되게 나빠요", "제일 싼 {product}보다도 못해요"]),

    ("advice.5", &["주변에 다 추천하고 있어요", "꼭 사세요", "별 다섯 개도 모자라요", "또 살 거예요", "후회 안 해요, 강추해요"]),
    ("advice.4", &["추천해요", "다음에도 살 것 같아요", "잘 쓰고 있어요", "사도 후회는 없을 거예요", "계속 쓸 거예요"]),
    ("advice.3", &["할인할 때만 사세요", "알아서 판단하세요", "급하면 살 만하고 아니면 말고요", "추천도 비추천도 안 해요"]),
    ("advice.2", &["추천은 못 하겠어요", "다음에는 다른 걸 살 거예요", "반품할까 생각 중이에요", "사기 전에 한 번 더 생각하세요", "손이 잘 안 가요"]),
    ("advice.1", &["주변에 다 말리고 있어요", "절대 사지 마세요", "별 하나도 아까워요", "다시는 안 사요", "전액 환불해 주세요"]),

    ("contrast.5", &["별 기대 안 했는데 {this}{product}{은} {praise}", "비싸서 망설였는데 {this}{product}{은} 정말 {praise}"]),
    ("contrast.4", &[
        "{aspect}{은} {bad_but} 전체적으로는 만족해요", "처음에는 걱정했는데 {aspect}{이} {decent}",
        "예쁘지는 않지만 {this}{product}{은} {approval}", "적응하는 데 {time} 걸렸지만 이제는 좋아요",
    ]),
    ("contrast.3", &["{aspect}{은} {good_but} {aspect}{은} {poor}", "{aspect}{은} {bad_but} {aspect}{은} {decent}"]),
    ("contrast.2", &[
        "{aspect}{은} {good_but} 전체적으로는 실망이에요", "처음에는 기대했는데 {aspect}{이} {poor}",
        "예쁘기는 하지만 {this}{product}{은} {doubt}", "{time} 써 봤지만 점점 싫어져요",
    ]),
    ("contrast.1", &["잔뜩 기대했는데 {this}{product}{은} {rant}", "싸서 샀는데 {this}{product}{은} 정말 {rant}"]),
];

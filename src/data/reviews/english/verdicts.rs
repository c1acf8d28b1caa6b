//! Opinions on a whole product and on its aspects, from one star (1) to five (5).

use super::super::grammar::Rule;

/// Verdicts, qualities, comparisons, recommendations and contrasts by grade.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    ("verdict.5", &[
        "I love {object}", "I adore {object}", "I absolutely love {my} {product}", "I am thrilled with {object}",
        "I could not be happier with {my} {product}", "I am so glad that I bought {object}",
        "{subject} {is} {praise}", "{my} {product} {is} {praise}", "{subject} exceed{s} all my expectations",
        "{subject} {is} worth every penny", "absolutely delighted with {my} {product}",
        "no other {product} come{s} close", "{subject} made my life easier", "we all love {object}",
        "{subject} amaze{s} me every day", "a perfect buy, {this} {product}",
        "{subject} {is} everything that I wished for", "I cannot fault {object}", "never been so happy with {a}",
    ]),
    ("verdict.4", &[
        "I like {object}", "I am happy with {my} {product}", "I am pleased with {object}",
        "{subject} {is} {approval}", "{my} {product} {is} {approval}", "{a solid} at a fair price",
        "{a good} for the money", "not bad at all, {this} {product}", "nothing to complain about with {object}",
        "never a complaint about {this} {product}", "{subject} {does} not disappoint",
        "I have no complaints about {my} {product}", "{subject} won me over", "hard to find fault with {object}",
        "glad I chose {object}", "I would not want to give {object} back", "{a nice}, and easy to like",
        "{subject} turned out better than I feared", "I am satisfied with {object}",
        "{subject} {is} worth the money",
    ]),
    ("verdict.3", &[
        "{subject} {is} {shrug}", "{my} {product} {is} {shrug}", "I neither love nor hate {object}",
        "{subject} {does} the job, no more", "{a average} at an average price",
        "I have mixed feelings about {object}", "I cannot say that I love or hate {my} {product}",
        "{subject} {has} good and bad sides", "{subject} {is} like any other {product}",
        "{a middling}, neither good nor bad", "{subject} left me undecided",
        "half of me likes {object}, half of me does not", "{subject} {is} fine, but no more than that",
        "three stars for {object}",
    ]),
    ("verdict.2", &[
        "I do not like {object} much", "I am not happy with {my} {product}", "{subject} let{s} me down",
        "I expected more from {object}", "{subject} {is} {doubt}", "{my} {product} {is} {doubt}",
        "{subject} {is} not worth the money", "I would not buy {object} again", "I regret that I bought {object}",
        "{subject} fall{s} short", "{subject} could be a lot better", "I was hoping for {a better}",
        "I cannot recommend {object}", "{a weak} for that much money", "sadly, {subject} did not win me over",
        "I do not enjoy {object}", "not worth it, {this} {product}", "not good at all, {this} {product}",
        "{subject} {is} less than I wished for", "{subject} did not meet my hopes",
        "I am less than pleased with {my} {product}", "{subject} promise{s} more than {it} deliver{s}",
        "{subject} did not live up to the description",
    ]),
    ("verdict.1", &[
        "I hate {object}", "I cannot stand {object}", "{subject} {is} {rant}", "{my} {product} {is} {rant}",
        "what a waste of money, {this} {product}", "do not buy {object}", "stay away from {object}",
        "I want my money back for {object}", "I threw {object} in the bin", "I am furious about {my} {product}",
        "never been so angry about {a}", "{subject} {is} not worth a penny", "I am so sorry that I bought {object}",
        "{subject} ruined my day", "we all hate {object}", "a complete failure, {this} {product}",
        "{subject} {does} nothing right", "no other {product} {is} as bad", "I am fed up with {object}",
    ]),
    ("brief.5", &[
        "worth every penny", "best buy of the year", "love {obj}", "so happy", "simply perfect", "a dream",
        "superb", "what a find", "fantastic", "thrilled with {obj}",
    ]),
    ("brief.4", &[
        "like {obj}", "happy with {obj}", "good buy", "not bad", "no complaints", "nice", "well done",
        "pleased with {obj}",
    ]),
    ("brief.3", &["so-so", "mixed feelings", "nothing special", "average", "neither good nor bad", "just okay"]),
    ("brief.2", &[
        "do not like {obj}", "not happy with {obj}", "bad buy", "not good", "not worth it", "a letdown",
        "poorly done", "expected better", "let down by {obj}", "far too little for the price", "sad about {obj}",
    ]),
    ("brief.1", &[
        "hate {obj}", "so angry", "simply terrible", "a nightmare", "awful", "what a waste", "rubbish",
        "fed up with {obj}", "broken in no time", "money wasted",
    ]),
    ("my", &["my", "our", "the"]),

    ("praise", &[
        "a joy to use", "superb", "fantastic", "wonderful", "outstanding", "brilliant", "simply perfect",
        "absolutely gorgeous", "a dream", "excellent in every way", "first class", "incredible", "flawless",
        "the best I know", "pure bliss",
    ]),
    ("approval", &[
        "good", "really nice", "well made", "a good buy", "pretty good", "quite handy", "a pleasant surprise",
        "better than I thought", "far from bad", "reliable", "very useful", "good value", "a sensible choice",
        "anything but cheap junk",
    ]),
    ("shrug", &[
        "okay", "average", "so-so", "nothing special", "neither good nor bad", "acceptable", "ordinary",
        "all right", "middle of the road", "passable", "neither great nor terrible", "just adequate",
    ]),
    ("doubt", &[
        "not very good", "a letdown", "mediocre", "rather poor", "not as good as the photos", "overpriced",
        "below average", "nothing but a compromise", "not great", "badly made", "less useful than I thought",
        "anything but handy", "a bad buy", "disappointing",
    ]),
    ("rant", &[
        "terrible", "awful", "horrible", "a disaster", "complete rubbish", "useless", "garbage", "the worst I know",
        "dreadful", "a nightmare", "a total failure", "pure junk", "infuriating", "unusable", "a scam",
    ]),

    ("aspect_line.5", &[
        "the {aspect} {aspect_is} {great}", "I love the {aspect}", "the {aspect} could not be better",
        "the {aspect} leave{aspect_s} nothing to be desired", "the {aspect} {aspect_is} {great_things}",
        "the {aspect} beat{aspect_s} all others", "nothing beats the {aspect}",
    ]),
    ("great_things", &["a delight", "a pleasure", "a highlight"]),
    ("aspect_line.4", &[
        "the {aspect} {aspect_is} {decent}", "I like the {aspect}", "the {aspect} {aspect_is} not bad at all",
        "no complaints about the {aspect}", "the {aspect} {aspect_does} not disappoint",
        "I am happy with the {aspect}",
    ]),
    ("aspect_line.3", &[
        "the {aspect} {aspect_is} {shrug}", "nice {aspect}, but {flaw.2}", "the {aspect} could be worse, or better",
        "I like the {aspect}, but {flaw.2}", "{flaw.2}, but I like the {aspect}",
        "the {aspect} {aspect_is} good, the rest is not",
    ]),
    ("aspect_line.2", &[
        "the {aspect} {aspect_is} {poor}", "I do not like the {aspect}", "the {aspect} {aspect_is} not good enough",
        "the {aspect} leave{aspect_s} much to be desired", "the {aspect} disappoint{aspect_s} me",
        "I am not happy with the {aspect}",
    ]),
    ("aspect_line.1", &[
        "the {aspect} {aspect_is} {bad}", "I hate the {aspect}", "the {aspect} could not be worse",
        "the {aspect} alone make{aspect_s} me want a refund", "the {aspect} {aspect_is} {bad_things}",
        "nothing is worse than the {aspect}",
    ]),
    ("bad_things", &["a disgrace", "a shame", "a mess"]),
    ("great", &[
        "excellent", "superb", "outstanding", "fantastic", "wonderful", "amazing", "perfect", "brilliant",
        "impressive", "beyond praise",
    ]),
    ("decent", &[
        "good", "nice", "pleasing", "solid", "very decent", "better than expected", "well thought out",
        "quite good", "better than on my old {one}", "a plus",
    ]),
    ("poor", &[
        "poor", "mediocre", "weak", "a letdown", "worse than expected", "not great", "badly thought out",
        "quite bad", "worse than on my old {one}", "a minus",
    ]),
    ("bad", &[
        "terrible", "awful", "horrible", "dreadful", "appalling", "a joke", "a disaster", "atrocious", "pathetic",
        "worse than I ever feared",
    ]),
    ("flaw", &["the {aspect} {aspect_is} {poor}", "I do not like the {aspect}", "{it} {fact}"]),
    ("virtue", &["the {aspect} {aspect_is} {decent}", "I like the {aspect}", "{it} {fact}"]),

    ("compare.5", &[
        "far better than my old {product}", "my old {product} cannot compete with {this} {one}",
        "so much better than {that} of my neighbour", "{subject} outshine{s} much dearer {ones}",
    ]),
    ("compare.4", &[
        "better than my old {product}", "a clear step up from my last {product}",
        "no worse than {a} for twice the price", "I like {obj} more than my old {product}",
    ]),
    ("compare.3", &[
        "about as good as my old {product}", "no better and no worse than my last {product}",
        "much the same as {that} of my neighbour",
    ]),
    ("compare.2", &[
        "not as good as my old {product}", "a step down from my last {product}",
        "no better than {a} for half the price", "I liked my old {product} more",
    ]),
    ("compare.1", &[
        "far worse than my old {product}", "even the cheapest {product} would be better than {this} {one}",
        "so much worse than {that} of my neighbour", "I miss my old {product} every day",
    ]),
    ("ones", &["models", "brands", "rivals"]),

    ("advice.5", &[
        "buy {obj}, you will love {obj}", "I would buy {obj} again in a heartbeat", "ten out of ten", "a must-have",
        "highly recommended",
    ]),
    ("advice.4", &[
        "I would buy {obj} again", "I can recommend {obj}", "worth a try", "you will not regret it",
        "I am keeping {obj}",
    ]),
    ("advice.3", &[
        "buy {obj} on sale, or not at all", "up to you", "I may keep {obj}, or not", "take {obj} or leave {obj}",
    ]),
    ("advice.2", &[
        "I would pick another {one} next time", "I would rather not buy {obj} again", "save your money",
        "I am sending {obj} back", "think twice before you buy {obj}",
    ]),
    ("advice.1", &[
        "do not buy {obj}, you will hate {obj}", "I want a full refund", "zero stars if I could",
        "nobody should pay for {this}", "never again",
    ]),

    ("contrast.5", &[
        "I expected little, and now I love {object}", "I had my doubts, but {subject} {is} {praise}",
        "costly, but {subject} {is} {praise}", "I never liked {any}, but I love {this} {one}",
    ]),
    ("contrast.4", &[
        "{flaw.2}, but overall I am happy with {obj}", "I had my doubts, but {virtue}",
        "a few flaws, but I like {obj}", "it took {time}, but now I like {my} {product}",
        "plain, but {subject} {is} {approval}",
    ]),
    ("contrast.3", &[
        "{virtue.4}, but {flaw.2}", "{flaw.2}, but {virtue.4}", "on the one hand {virtue.4}, on the other {flaw.2}",
    ]),
    ("contrast.2", &[
        "I wanted to love {object}, but {flaw}", "{virtue.4}, but overall I am not happy with {obj}",
        "I had high hopes, but {flaw}", "pretty, but {subject} {is} {doubt}",
        "it took {time}, but now I dislike {my} {product}",
    ]),
    ("contrast.1", &[
        "I expected a lot, and now I hate {object}", "I had high hopes, but {subject} {is} {rant}",
        "cheap, but {subject} {is} {rant}", "I always liked {any}, but I hate {this} {one}",
    ]),
    ("any", &["my old {product}", "other brands"]),
];

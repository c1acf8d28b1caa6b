//! What a product does, as predicates (`{it} {fact}`), and what happened with the order, by grade.

use super::super::grammar::Rule;

/// Facts that fit all products, and service.
#[rustfmt::skip]
pub const GENERAL: &[Rule] = &[
    ("fact.5", &[
        "never let{s} me down", "look{s} stunning", "feel{s} like luxury", "still look{s} brand new after {time}",
        "{has} not failed me once in {time}", "make{s} me smile every time", "{does} everything right",
    ]),
    ("fact.4", &[
        "{does} what {it} should", "look{s} good", "feel{s} sturdy", "{has} given me no trouble in {time}",
        "{is} easy to clean", "{is} built to last",
    ]),
    ("fact.3", &[
        "{does} the bare minimum", "look{s} ordinary", "feel{s} neither cheap nor solid", "need{s} some patience",
        "{has} its moments, good and bad",
    ]),
    ("fact.2", &[
        "look{s} cheap", "feel{s} flimsy", "{has} worn out after {time}", "gave me trouble after {time}",
        "{is} hard to clean", "{is} not built to last", "came with scratches",
    ]),
    ("fact.1", &[
        "fell apart after {time}", "look{s} hideous", "feel{s} like a cheap toy", "failed me after {time}",
        "make{s} me angry every time", "{does} everything wrong", "arrived damaged",
    ]),

    ("service.5", &[
        "delivery was super fast and {it} {was} packed with care", "the seller was wonderful and so {is} {subject}",
        "support solved my problem within minutes",
        "customer service was outstanding and sent {a_new_one} for free",
        "a lovely seller, and {subject} came a day early",
    ]),
    ("service.4", &[
        "delivery was quick and {it} {was} well packed", "the seller was friendly and helpful",
        "support was helpful when I had a question", "a small scratch, but the seller sent {a_new_one} at once",
        "{subject} came on time and in good shape", "my money came back without any fuss",
    ]),
    ("service.3", &[
        "delivery was slow, but {it} {was} well packed", "the seller was polite, but not much help",
        "support replied after {time}, at least", "delivery was fine, and so {is} {subject}",
    ]),
    ("service.2", &[
        "delivery was slow and {it} {was} badly packed", "the seller was not very helpful",
        "support took {time} to reply", "{subject} came late and with a scratch",
        "parts were missing, and I had to ask three times", "it was a struggle to get my money back",
    ]),
    ("service.1", &[
        "delivery was a nightmare and {it} {was} smashed", "the seller was rude and refused a refund",
        "support ignored me for {time}", "customer service was appalling and never called back",
        "{subject} never arrived, and no one cares", "no reply from the seller for {time}",
        "{subject} arrived in pieces",
    ]),
];

/// Facts by the kind of product.
#[rustfmt::skip]
pub const BY_KIND: &[Rule] = &[
    ("fact.cook.5", &[
        "work{s} like a charm", "heat{s} up in no time", "make{s} breakfast a pleasure",
        "turn{s} out perfect results every time", "{has} changed the way we cook",
    ]),
    ("fact.cook.3", &["work{s} most of the time", "work{s} about as well as any other"]),
    ("fact.power.3", &["work{s} most of the time", "work{s} about as well as any other"]),
    ("fact.cook.4", &[
        "work{s} well", "still work{s} after {time}", "heat{s} evenly", "save{s} me time in the morning",
        "never burn{s} anything", "fit{s} nicely on the counter",
    ]),
    ("fact.cook.2", &[
        "{does} not work well", "work{s} only now and then", "heat{s} unevenly", "take{s} far too long to heat up",
        "often burn{s} one side", "take{s} up too much space",
    ]),
    ("fact.cook.1", &[
        "never worked at all", "stopped working after {time}", "burn{s} everything", "nearly started a fire",
        "give{s} all food a nasty taste", "leaked all over the counter", "gave me an electric shock",
    ]),
    ("fact.power.5", &[
        "work{s} like a charm", "run{s} for days on one charge", "connect{s} in an instant",
        "{is} a pleasure to use", "{is} lightning fast",
    ]),
    ("fact.power.4", &[
        "work{s} well", "still work{s} after {time}", "hold{s} a charge well", "connect{s} without trouble",
        "{was} easy to set up", "{is} fast enough for me",
    ]),
    ("fact.power.2", &[
        "{does} not work well", "work{s} only now and then", "need{s} charging too often",
        "often lose{s} the connection", "{was} hard to set up", "{is} slow and clumsy",
    ]),
    ("fact.power.1", &[
        "never worked at all", "stopped working after {time}", "die{s} within an hour", "crash{es} all the time",
        "refused to charge after {time}", "{is} painfully slow", "overheat{s} and shut{s} down",
    ]),
    ("fact.wear.5", &[
        "fit{s} like a second skin", "{is} unbelievably comfortable", "earn{s} me compliments every day",
        "keep{s} me warm even in snow",
    ]),
    ("fact.wear.4", &["fit{s} well", "{is} comfortable", "kept the shape after {time}", "keep{s} me warm"]),
    ("fact.wear.2", &[
        "run{s} too small", "{is} not comfortable", "lost the shape after {time}", "{does} not keep me warm",
    ]),
    ("fact.wear.1", &[
        "ripped on the first day", "scratch{es} and itch{es} terribly", "smell{s} disgusting", "gave me blisters",
        "fell to pieces in the wash",
    ]),
    ("fact.home.5", &[
        "look{s} gorgeous in our living room", "transformed the whole room", "{is} heavenly",
        "{is} even lovelier than in the photos",
    ]),
    ("fact.home.4", &[
        "look{s} just like in the photos", "fit{s} well into the room", "{was} easy to put up", "feel{s} pleasant",
    ]),
    ("fact.home.2", &[
        "look{s} nothing like the photos", "{is} smaller than described", "{was} a pain to put up",
        "feel{s} unpleasant",
    ]),
    ("fact.home.1", &[
        "smell{s} like a chemical plant", "cost me a fortune and fell apart", "{is} ugly beyond words",
        "came filthy and full of stains",
    ]),
    ("fact.trip.5", &[
        "survived a storm without a scratch", "{is} tough as nails", "{is} a dream on every trip",
        "saved my holiday",
    ]),
    ("fact.trip.4", &[
        "held up well in the rain", "{is} light and handy", "{has} been useful on every trip", "survived our trip",
    ]),
    ("fact.trip.2", &[
        "let the rain in", "{is} heavy and clumsy", "{has} been little use on our trip", "barely survived our trip",
    ]),
    ("fact.trip.1", &[
        "snapped on the first trip", "leaked and soaked everything", "ruined my holiday",
        "collapsed in the first breeze",
    ]),
];

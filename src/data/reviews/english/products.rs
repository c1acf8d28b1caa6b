//! The products of the English reviews and what can be said about each. Names in `s` are plural.

use super::super::grammar::Product;

const fn product(
    name: &'static str,
    kind: &'static str,
    aspects: &'static [&'static str],
) -> Product {
    Product {
        name,
        kind,
        aspects,
    }
}

/// The kinds: `cook` heats, `power` has a battery, `wear` is worn, `home` stands in a room, `trip` goes outdoors.
#[rustfmt::skip]
pub const PRODUCTS: &[Product] = &[
    product("kettle", "cook", &["lid", "handle", "spout", "finish", "price"]),
    product("toaster", "cook", &["lever", "crumb tray", "timer", "design", "price"]),
    product("coffee maker", "cook", &["water tank", "filter", "taste", "timer", "price"]),
    product("espresso machine", "cook", &["taste", "milk foam", "water tank", "buttons", "build quality"]),
    product("air fryer", "cook", &["basket", "timer", "size", "controls", "price"]),
    product("frying pan", "cook", &["coating", "handle", "weight", "size", "price"]),
    product("rice cooker", "cook", &["inner pot", "lid", "timer", "size", "design"]),
    product("waffle iron", "cook", &["coating", "plates", "handle", "cord", "design"]),
    product("slow cooker", "cook", &["lid", "controls", "size", "inner pot", "manual"]),
    product("toaster oven", "cook", &["door", "controls", "size", "finish", "instructions"]),
    product("headphones", "power", &["sound", "bass", "microphone", "ear pads", "comfort"]),
    product("earbuds", "power", &["sound", "bass", "case", "microphone", "price"]),
    product("keyboard", "power", &["keys", "layout", "lighting", "build quality", "software"]),
    product("tablet", "power", &["screen", "sound", "speed", "software", "camera"]),
    product("smart watch", "power", &["screen", "strap", "app", "step counter", "design"]),
    product("camera", "power", &["picture quality", "zoom", "menu", "screen", "grip"]),
    product("speaker", "power", &["sound", "bass", "volume", "size", "app"]),
    product("e-reader", "power", &["screen", "backlight", "page buttons", "size", "software"]),
    product("electric toothbrush", "power", &["brush heads", "timer", "handle", "noise level", "price"]),
    product("phone", "power", &["screen", "camera", "speed", "sound", "design"]),
    product("jacket", "wear", &["zipper", "pockets", "hood", "fabric", "cut"]),
    product("raincoat", "wear", &["hood", "zipper", "seams", "colour", "fabric"]),
    product("sweater", "wear", &["wool", "colour", "sleeves", "cut", "price"]),
    product("running shoes", "wear", &["soles", "laces", "cushioning", "fit", "design"]),
    product("hiking boots", "wear", &["soles", "grip", "stitching", "lining", "fit"]),
    product("gloves", "wear", &["lining", "stitching", "grip", "size", "fabric"]),
    product("jeans", "wear", &["cut", "fabric", "pockets", "colour", "seams"]),
    product("slippers", "wear", &["soles", "lining", "size", "colour", "comfort"]),
    product("scarf", "wear", &["wool", "colour", "pattern", "length", "price"]),
    product("winter coat", "wear", &["lining", "buttons", "pockets", "hood", "cut"]),
    product("desk lamp", "home", &["light", "switch", "base", "design", "price"]),
    product("office chair", "home", &["seat", "armrests", "backrest", "wheels", "instructions"]),
    product("pillow", "home", &["filling", "cover", "shape", "size", "price"]),
    product("blanket", "home", &["fabric", "colour", "weight", "size", "price"]),
    product("bookshelf", "home", &["shelves", "finish", "wood", "instructions", "size"]),
    product("curtains", "home", &["fabric", "colour", "length", "pattern", "price"]),
    product("alarm clock", "home", &["display", "buttons", "alarm sound", "design", "price"]),
    product("sofa", "home", &["cushions", "legs", "fabric", "colour", "comfort"]),
    product("mattress", "home", &["cover", "foam", "firmness", "comfort", "price"]),
    product("rug", "home", &["colour", "pattern", "texture", "size", "price"]),
    product("tent", "trip", &["poles", "zipper", "floor", "size", "instructions"]),
    product("sleeping bag", "trip", &["zipper", "filling", "lining", "weight", "size"]),
    product("backpack", "trip", &["straps", "pockets", "zippers", "fabric", "size"]),
    product("umbrella", "trip", &["handle", "fabric", "size", "colour", "weight"]),
    product("water bottle", "trip", &["lid", "spout", "size", "colour", "weight"]),
    product("bike helmet", "trip", &["straps", "padding", "fit", "weight", "colour"]),
    product("flashlight", "trip", &["beam", "switch", "grip", "weight", "price"]),
    product("camping stove", "trip", &["flame", "burner", "weight", "size", "case"]),
];

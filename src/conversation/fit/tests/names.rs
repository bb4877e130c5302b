use super::*;

#[test]
fn names_are_clean() {
    for (name, shown) in [
        ("Ana López", "Ana López"),
        ("  Ana \n\t López ", "Ana López"),
        ("Ana\u{202e}zepoL", "AnazepoL"),
        ("A\u{200b}n\u{200d}a\u{feff}", "Ana"),
        ("\u{7}Ana\u{0}", "Ana"),
        ("", "Someone"),
        (" \u{200b}\u{2800}\u{3164} ", "Someone"),
        ("\u{301}\u{301}", "Someone"),
        ("\u{816}\0®", "®"),
        ("張偉", "張偉"),
        ("علي", "علي"),
        ("Ana 🙂", "Ana 🙂"),
    ] {
        assert_eq!(clean_name(name), shown, "{name:?}");
    }
    let long = clean_name(&"Wilhelmina ".repeat(20));
    assert!(units(&long) <= 64 && long.starts_with("Wilhelmina"));
    assert!(units(&clean_name(&"🇩🇪".repeat(50))).is_multiple_of(4), "no half flag");
}

#[test]
fn nobody_passes_for_a_technician() {
    let technicians = ["Ana López", "Bob", "Will Smith"];
    for name in [
        "Ana López",
        "ana lopez",
        "ANA  LOPEZ",
        "Аnа Lоpеz",
        "Ana Lоpez 🔧",
        "Ana_Lopez",
        "𝐀𝐧𝐚 𝐋𝐨𝐩𝐞𝐳",
        "Ａｎａ Ｌｏｐｅｚ",
        "An\u{200b}a Lopez",
        "Bob",
        "B0b",
        "bob!",
        "Wi11 Srnith",
        "Ana Lopez from IT",
        "Support",
        "Support (Admin)",
        "Kim (Admin)",
        "IT-Support",
        "IT Support Team",
        "Service Desk",
        "Аdmin",
        "4dm1n",
        "ⓐⓓⓜⓘⓝ",
        "Kim | Helpdesk",
        "Assistant",
    ] {
        let shown = cannot_impersonate(name, &technicians);
        assert!(shown.ends_with(" (requester)") && units(&shown) <= 64, "{name:?} is shown as {shown:?}");
        assert_eq!(cannot_impersonate(&shown, &technicians), shown, "said once");
    }
}

#[test]
fn honest_names_stay_as_they_are() {
    let technicians = ["Ana López", "Bob", "Will Smith"];
    for name in [
        "Ana Garcia",
        "Anna Lopez",
        "Bobby",
        "Bob Marsh",
        "Lopez",
        "Will",
        "Smith Will",
        "Adminah",
        "Karl Supporter",
        "Olga",
        "李娜",
        "Иван",
        "Someone",
    ] {
        assert_eq!(cannot_impersonate(name, &technicians), name);
    }
    assert_eq!(cannot_impersonate("", &technicians), "Someone");
    let long = format!("Admin {}", "x".repeat(100));
    assert_eq!(units(&cannot_impersonate(&long, &technicians)), 64);
}

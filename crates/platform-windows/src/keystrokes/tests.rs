//! A technician types on another keyboard than the machine's.

use super::*;

/// An American keyboard, as far as the tests type on it.
struct American;

impl Layout for American {
    fn virtual_key(&self, code: u16, extended: bool) -> u16 {
        match (code, extended) {
            (0x12, false) => u16::from(b'E'),
            (0x02, false) => u16::from(b'1'),
            (0x4f, _) => 0x23,
            (0x53, _) => 0x2e,
            (0x1d, false) => 0xa2,
            (0x38, true) => 0xa5,
            _ => 0xff,
        }
    }

    fn types(&self, virtual_key: u16, _: u16, modifiers: Modifiers, text: &str) -> bool {
        let shifted = modifiers.shift != modifiers.caps_lock;
        let given = match u8::try_from(virtual_key) {
            Ok(b'E') if shifted => "E",
            Ok(b'E') => "e",
            Ok(b'1') if modifiers.shift => "!",
            Ok(b'1') => "1",
            Ok(0x6e) => ".",
            _ => "",
        };
        !modifiers.control() && !modifiers.alt() && text == given
    }
}

fn press(code: &str, text: &str) -> KeyInput {
    KeyInput {
        usage: Usage::from_code(code).expect("a key"),
        down: true,
        text: KeyText::new(text),
    }
}

fn release(code: &str) -> KeyInput {
    KeyInput {
        down: false,
        ..press(code, "")
    }
}

fn strokes(key: &KeyInput, modifiers: Modifiers) -> Vec<Stroke> {
    Keystrokes::new().strokes(key, modifiers, &American)
}

fn scan(code: u16, extended: bool, virtual_key: u16, down: bool) -> Stroke {
    Stroke::Scan {
        code,
        extended,
        virtual_key,
        down,
    }
}

fn text(text: &str) -> Vec<Stroke> {
    text.encode_utf16()
        .flat_map(|unit| [true, false].map(|down| Stroke::Unicode { unit, down }))
        .collect()
}

const E: u16 = 0x45;

#[test]
fn a_key_that_gives_the_same_text_here_is_pressed() {
    let shift = Modifiers {
        shift: true,
        ..Modifiers::default()
    };

    assert_eq!(
        strokes(&press("KeyE", "e"), Modifiers::default()),
        [scan(0x12, false, E, true)]
    );
    assert_eq!(
        strokes(&press("KeyE", "E"), shift),
        [scan(0x12, false, E, true)]
    );
}

#[test]
fn text_of_another_layout_is_typed_as_text() {
    assert_eq!(
        strokes(&press("KeyE", "é"), Modifiers::default()),
        text("é")
    );
    assert_eq!(
        strokes(&press("KeyE", "😀"), Modifiers::default()),
        text("😀")
    );
}

#[test]
fn caps_lock_of_this_machine_does_not_change_what_is_typed() {
    let caps = Modifiers {
        caps_lock: true,
        ..Modifiers::default()
    };

    assert_eq!(strokes(&press("KeyE", "e"), caps), text("e"));
    assert_eq!(
        strokes(&press("KeyE", "E"), caps),
        [scan(0x12, false, E, true)]
    );
}

#[test]
fn the_release_of_typed_text_presses_nothing() {
    let mut keys = Keystrokes::new();
    keys.strokes(&press("KeyE", "é"), Modifiers::default(), &American);

    assert_eq!(
        keys.strokes(&release("KeyE"), Modifiers::default(), &American),
        []
    );
}

#[test]
fn a_release_undoes_the_press_even_when_modifiers_changed() {
    let mut keys = Keystrokes::new();
    let control = Modifiers {
        control_left: true,
        ..Modifiers::default()
    };
    keys.strokes(&press("Pause", ""), control, &American);

    let released = keys.strokes(&release("Pause"), Modifiers::default(), &American);

    assert_eq!(
        released,
        [Stroke::Virtual {
            key: VK_CANCEL,
            code: 0x46,
            extended: true,
            down: false
        }]
    );
}

#[test]
fn a_command_presses_the_key_whatever_its_text() {
    let control = Modifiers {
        control_left: true,
        ..Modifiers::default()
    };

    assert_eq!(
        strokes(&press("KeyE", "д"), control),
        [scan(0x12, false, E, true)]
    );
}

#[test]
fn the_right_alt_makes_a_command_where_the_layout_has_no_alt_graph() {
    let alt = Modifiers {
        alt_right: true,
        ..Modifiers::default()
    };

    assert_eq!(
        strokes(&press("KeyE", "e"), alt),
        [scan(0x12, false, E, true)]
    );
}

#[test]
fn text_made_with_alt_graph_is_typed_without_the_keys_that_made_it() {
    let alt_graph = Modifiers {
        control_left: true,
        alt_right: true,
        ..Modifiers::default()
    };

    let found = strokes(&press("KeyE", "€"), alt_graph);

    let nothing = |down| Stroke::Virtual {
        key: VK_NOTHING,
        code: 0,
        extended: false,
        down,
    };
    let (control, alt) = (
        |down| scan(0x1d, false, 0xa2, down),
        |down| scan(0x38, true, 0xa5, down),
    );
    let expected = [
        vec![nothing(true), nothing(false), control(false), alt(false)],
        text("€"),
        vec![control(true), alt(true), nothing(true), nothing(false)],
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn the_numeric_pad_follows_num_lock_of_the_viewer() {
    let on = Modifiers {
        num_lock: true,
        ..Modifiers::default()
    };
    let off = Modifiers::default();

    assert_eq!(
        strokes(&press("Numpad1", "1"), on),
        [scan(0x4f, false, 0x61, true)]
    );
    assert_eq!(
        strokes(&press("Numpad1", ""), on),
        [scan(0x4f, true, 0x23, true)]
    );
    assert_eq!(
        strokes(&press("Numpad1", ""), off),
        [scan(0x4f, false, 0x23, true)]
    );
    assert_eq!(strokes(&press("Numpad1", "1"), off), text("1"));
    assert_eq!(
        strokes(&press("NumpadDecimal", "."), on),
        [scan(0x53, false, VK_DECIMAL, true)]
    );
    assert_eq!(strokes(&press("NumpadDecimal", ","), on), text(","));
}

#[test]
fn a_modifier_counts_from_its_press_on() {
    let mut keys = Keystrokes::new();
    keys.strokes(&press("ShiftLeft", ""), Modifiers::default(), &American);

    let capital = keys.strokes(&press("KeyE", "E"), Modifiers::default(), &American);

    assert_eq!(capital, [scan(0x12, false, E, true)]);
}

#[test]
fn everything_that_is_down_can_be_released() {
    let mut keys = Keystrokes::new();
    keys.strokes(&press("KeyE", "e"), Modifiers::default(), &American);
    keys.strokes(&press("KeyD", "é"), Modifiers::default(), &American);

    assert_eq!(keys.release_all(), [scan(0x12, false, E, false)]);
    assert_eq!(keys.release_all(), []);
}

#[test]
fn pause_and_num_lock_are_told_apart() {
    let key = |name: &str| strokes(&press(name, ""), Modifiers::default());

    assert_eq!(
        key("Pause"),
        [Stroke::Virtual {
            key: VK_PAUSE,
            code: 0x45,
            extended: false,
            down: true
        }]
    );
    assert_eq!(
        key("NumLock"),
        [Stroke::Virtual {
            key: VK_NUMLOCK,
            code: 0x45,
            extended: true,
            down: true
        }]
    );
}

#[test]
fn a_key_without_a_place_on_the_keyboard_types_its_text_or_nothing() {
    let unknown = |text: &str| KeyInput {
        usage: Usage::UNKNOWN,
        down: true,
        text: KeyText::new(text),
    };

    assert_eq!(strokes(&unknown("ß"), Modifiers::default()), text("ß"));
    assert_eq!(strokes(&unknown(""), Modifiers::default()), []);
}

//! A person's eyes and hands for the tests on Windows and Wine: reads what an
//! application holds, instead of what we think that it shows.
//!
//! ```text
//! windows-helper read-notepad         prints the text in Notepad as UTF-8
//! windows-helper place-notepad        prints where Notepad's text is in the picture, as JSON: {"x":…,"y":…,"width":…,"height":…}
//! windows-helper type-notepad <text>  clicks into Notepad and types, the way the agent does
//! windows-helper read-guest           prints what is on the customer's window, a line for each control, buttons in brackets
//! windows-helper place-guest <label>  prints where its button with that label is, as place-notepad does
//! windows-helper read-tips            prints what is shown of icons beside the clock: tips and news, a line each
//! windows-helper place-icons          prints where the icons beside the clock are, as place-notepad does; nothing while there are none
//! windows-helper place-menu           prints where the menu is, likewise
//! windows-helper limited <program>    starts a program without administrator rights, and waits for its end
//! windows-helper window               opens a window and prints one line for each key and button that it gets, until it is ended
//! windows-helper pointer              prints where the pointer is in the picture: x and y
//! windows-helper keys-down            prints the numbers of the virtual keys and buttons that are down, one on each line
//! windows-helper make-private <path>  makes a folder the way the agent makes its own, with a secret.txt in it
//! windows-helper hold-help-pipe <name>   has the pipe for help, as the agent does, until it is ended
//! windows-helper knock-help-pipe <name>  opens that pipe as a user's program does, and prints its end
//! windows-helper safe-mode <kind>     sets how Windows starts the next time, without restarting: safe_mode, safe_mode_network, safe_mode_prompt or ordinary
//! windows-helper alive                ends at once: the session can start programs
//! windows-helper idle                 does nothing until it is ended: keeps a Wine session alive
//! ```

#[cfg(windows)]
mod guest;
#[cfg(windows)]
mod hands;
#[cfg(windows)]
mod help_pipe;
#[cfg(windows)]
mod limited;
#[cfg(windows)]
mod listener;
#[cfg(windows)]
mod notepad;
#[cfg(windows)]
mod tray;

#[cfg(windows)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["read-notepad"] => notepad::text().map(|text| print!("{text}")),
        ["place-notepad"] => notepad::place().map(|place| println!("{}", place.json())),
        ["type-notepad", text] => {
            notepad::place().and_then(|place| hands::click_and_type(&place, text))
        }
        ["read-guest"] => {
            print!("{}", guest::text());
            Ok(())
        }
        ["place-guest", label] => {
            guest::place_of_button(label).map(|place| println!("{}", place.json()))
        }
        ["read-tips"] => {
            println!("{}", tray::tips());
            Ok(())
        }
        ["place-icons"] => tray::place().map(|place| print_place(place.as_ref())),
        ["place-menu"] => tray::place_of_menu().map(|place| print_place(place.as_ref())),
        ["limited", program] => limited::run(program),
        ["window"] => listener::listen(),
        ["pointer"] => notepad::pointer().map(|(x, y)| println!("{x} {y}")),
        ["keys-down"] => {
            notepad::keys_down().for_each(|key| println!("{key:#04x}"));
            Ok(())
        }
        ["make-private", path] => hands::make_private(path),
        ["hold-help-pipe", name] => help_pipe::hold(name),
        ["knock-help-pipe", name] => help_pipe::knock(name),
        ["safe-mode", kind] => hands::set_safe_mode(kind),
        ["alive"] => Ok(()),
        ["idle"] => loop {
            std::thread::park();
        },
        _ => Err(
            "unknown command; the top of examples/windows-helper/main.rs has the list".to_owned(),
        ),
    };
    if let Err(message) = result {
        eprintln!("error: {message}");
        std::process::exit(1);
    }
}

#[cfg(windows)]
fn print_place(place: Option<&notepad::Place>) {
    if let Some(place) = place {
        println!("{}", place.json());
    }
}

#[cfg(not(windows))]
fn main() {
    eprintln!("this runs on Windows only: build it with scripts/build-windows");
    std::process::exit(2);
}

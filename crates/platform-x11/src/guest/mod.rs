//! The window of an attended session, drawn by us and shown by the X server.
//! Events that another program makes up with `SendEvent` are not a person's and
//! are ignored.

mod layout;
mod paint;

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use ab_glyph::FontVec;
use gc_platform::PlatformError;
use gc_platform::guest::{Action, GuestEvent, GuestWindow, MAX_TYPED_CHARS, Page, Shape};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask,
    Gcontext, ImageFormat, InputFocus, PropMode, StackMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use self::layout::{Drawn, draw};
use crate::error::{During, X_SERVER};

/// A page that just appeared is not answered by a click that was meant for what was there before.
const SETTLE: Duration = Duration::from_millis(400);

/// Owned by the program whose window is on this desktop.
const SELECTION: &str = "_GURUCONNECT_GUEST";

/// What is on the window, for programs that read it to people.
const PAGE: &str = "_GURUCONNECT_PAGE";

/// Rows of one `PutImage`, so that requests stay below the server's limit.
const ROWS: usize = 64;

const TAB: u32 = 0xff09;
const SHIFT_TAB: u32 = 0xfe20;
const RETURN: u32 = 0xff0d;
const KEYPAD_ENTER: u32 = 0xff8d;
const BACKSPACE: u32 = 0xff08;
const SPACE: u32 = 0x20;

/// Marks an event that another program made up.
const SENT: u8 = 0x80;

/// The window.
pub(crate) struct X11GuestWindow {
    connection: RustConnection,
    root: Window,
    screen: (i32, i32),
    depth: u8,
    font: FontVec,
    atoms: Atoms,
    first: bool,
    window: Option<(Window, Gcontext, Shape)>,
    page: Page,
    drawn: Option<Drawn>,
    shown_at: Instant,
    focus: Option<usize>,
    draft: String,
}

struct Atoms {
    delete: u32,
    protocols: u32,
    name: u32,
    utf8: u32,
    state: u32,
    above: u32,
    sticky: u32,
    page: u32,
}

impl X11GuestWindow {
    pub(crate) fn open() -> Result<Self, PlatformError> {
        let (connection, number) =
            RustConnection::connect(None).map_err(|_| PlatformError::Gone(X_SERVER))?;
        let screen = &connection.setup().roots[number];
        let (root, depth) = (screen.root, screen.root_depth);
        let size = (
            i32::from(screen.width_in_pixels),
            i32::from(screen.height_in_pixels),
        );
        if depth != 24 && depth != 32 {
            return Err(PlatformError::Unsupported(
                "a screen that is not 24 bits deep",
            ));
        }
        let atom = |name: &str| -> Result<u32, PlatformError> {
            let cookie = connection
                .intern_atom(false, name.as_bytes())
                .during("InternAtom")?;
            Ok(cookie.reply().during("InternAtom")?.atom)
        };
        let atoms = Atoms {
            delete: atom("WM_DELETE_WINDOW")?,
            protocols: atom("WM_PROTOCOLS")?,
            name: atom("_NET_WM_NAME")?,
            utf8: atom("UTF8_STRING")?,
            state: atom("_NET_WM_STATE")?,
            above: atom("_NET_WM_STATE_ABOVE")?,
            sticky: atom("_NET_WM_STATE_STICKY")?,
            page: atom(PAGE)?,
        };
        let selection = atom(SELECTION)?;
        let owner = connection
            .get_selection_owner(selection)
            .during("GetSelectionOwner")?;
        let first = owner.reply().during("GetSelectionOwner")?.owner == x11rb::NONE;
        if first {
            // A window that is never seen holds the place while the real ones come and go.
            let holder = connection.generate_id().during("CreateWindow")?;
            connection
                .create_window(
                    0,
                    holder,
                    root,
                    -1,
                    -1,
                    1,
                    1,
                    0,
                    WindowClass::INPUT_ONLY,
                    x11rb::COPY_FROM_PARENT,
                    &CreateWindowAux::new(),
                )
                .during("CreateWindow")?;
            connection
                .set_selection_owner(holder, selection, CURRENT_TIME)
                .during("SetSelectionOwner")?;
        }
        connection.flush().during("flush")?;
        Ok(Self {
            root,
            screen: size,
            depth,
            font: paint::load_font()?,
            atoms,
            first,
            connection,
            window: None,
            page: Page::default(),
            drawn: None,
            shown_at: Instant::now(),
            focus: None,
            draft: String::new(),
        })
    }

    /// A window of the page's shape and the drawing's size, in its place.
    fn place(&mut self, width: usize, height: usize) -> Result<(Window, Gcontext), PlatformError> {
        let shape = self.page.shape;
        let (width, height) = (width as i32, height as i32);
        let x = ((self.screen.0 - width) / 2).max(0);
        let y = match shape {
            Shape::Dialog => ((self.screen.1 - height) / 3).max(0),
            Shape::Bar => 0,
        };
        if let Some((window, gc, old)) = self.window {
            if old == shape {
                let size = ConfigureWindowAux::new()
                    .width(width as u32)
                    .height(height as u32);
                self.connection
                    .configure_window(window, &size)
                    .during("ConfigureWindow")?;
                return Ok((window, gc));
            }
            self.connection
                .destroy_window(window)
                .during("DestroyWindow")?;
        }
        let window = self.connection.generate_id().during("CreateWindow")?;
        let mask = EventMask::EXPOSURE
            | EventMask::BUTTON_PRESS
            | EventMask::KEY_PRESS
            | EventMask::VISIBILITY_CHANGE
            | EventMask::STRUCTURE_NOTIFY;
        let values = CreateWindowAux::new()
            .background_pixel(0x00ff_ffff)
            .event_mask(mask);
        self.connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                self.root,
                x as i16,
                y as i16,
                width as u16,
                height as u16,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &values,
            )
            .during("CreateWindow")?;
        let gc = self.connection.generate_id().during("CreateGC")?;
        self.connection
            .create_gc(gc, window, &CreateGCAux::new())
            .during("CreateGC")?;
        self.describe(window, x, y, width, height)?;
        self.connection.map_window(window).during("MapWindow")?;
        self.window = Some((window, gc, shape));
        Ok((window, gc))
    }

    /// Tells the window manager what this window is.
    fn describe(
        &self,
        window: Window,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
    ) -> Result<(), PlatformError> {
        let atoms = &self.atoms;
        let name = b"GuruConnect support";
        self.connection
            .change_property8(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_NAME,
                AtomEnum::STRING,
                name,
            )
            .during("ChangeProperty")?;
        self.connection
            .change_property8(PropMode::REPLACE, window, atoms.name, atoms.utf8, name)
            .during("ChangeProperty")?;
        self.connection
            .change_property8(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_CLASS,
                AtomEnum::STRING,
                b"guruconnect\0GuruConnect\0",
            )
            .during("ChangeProperty")?;
        self.connection
            .change_property32(
                PropMode::REPLACE,
                window,
                atoms.protocols,
                AtomEnum::ATOM,
                &[atoms.delete],
            )
            .during("ChangeProperty")?;
        self.connection
            .change_property32(
                PropMode::REPLACE,
                window,
                atoms.state,
                AtomEnum::ATOM,
                &[atoms.above, atoms.sticky],
            )
            .during("ChangeProperty")?;
        // WM_NORMAL_HINTS (ICCCM 4.1.2.3): position, smallest and largest size.
        let (width, height) = (width as u32, height as u32);
        let mut hints = [0_u32; 18];
        hints[0] = 1 | 4 | 8;
        hints[1..5].copy_from_slice(&[x as u32, y as u32, width, height]);
        self.connection
            .change_property32(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_NORMAL_HINTS,
                AtomEnum::WM_SIZE_HINTS,
                &hints,
            )
            .during("ChangeProperty")?;
        Ok(())
    }

    fn redraw(&mut self) -> Result<(), PlatformError> {
        let drawn = draw(&self.font, &self.page, self.focus, &self.draft);
        let (window, gc) = self.place(drawn.canvas.width, drawn.canvas.height)?;
        self.put(window, gc, &drawn)?;
        self.tell(window)?;
        self.drawn = Some(drawn);
        self.connection.flush().during("flush")
    }

    fn tell(&self, window: Window) -> Result<(), PlatformError> {
        let page = &self.page;
        let facts = page.facts.iter();
        let facts = facts.map(|(name, value)| format!("{name}: {value}"));
        let buttons = page
            .buttons
            .iter()
            .map(|button| format!("[{}]", button.label));
        let chat = page.chat.iter().flatten();
        let chat = chat.map(|row| format!("{}: {}", row.author, row.text));
        let text: Vec<String> = std::iter::once(page.title.clone())
            .chain(facts)
            .chain(page.words.clone())
            .chain(page.text.iter().cloned())
            .chain(chat)
            .chain(buttons)
            .collect();
        let text = text.join("\n");
        self.connection
            .change_property8(
                PropMode::REPLACE,
                window,
                self.atoms.page,
                self.atoms.utf8,
                text.as_bytes(),
            )
            .during("ChangeProperty")?;
        Ok(())
    }

    fn put(&self, window: Window, gc: Gcontext, drawn: &Drawn) -> Result<(), PlatformError> {
        let canvas = &drawn.canvas;
        for (index, rows) in canvas.pixels.chunks(canvas.width * 4 * ROWS).enumerate() {
            let count = rows.len() / (canvas.width * 4);
            self.connection
                .put_image(
                    ImageFormat::Z_PIXMAP,
                    window,
                    gc,
                    canvas.width as u16,
                    count as u16,
                    0,
                    (index * ROWS) as i16,
                    0,
                    self.depth,
                    rows,
                )
                .during("PutImage")?;
        }
        Ok(())
    }

    fn handle(&mut self, event: &Event) -> Result<Option<GuestEvent>, PlatformError> {
        match event {
            Event::Expose(_) => {
                if let (Some((window, gc, _)), Some(drawn)) = (self.window, &self.drawn) {
                    self.put(window, gc, drawn)?;
                    self.connection.flush().during("flush")?;
                }
            }
            // Something is in front of the bar: it comes back to the front.
            Event::VisibilityNotify(seen)
                if seen.state != x11rb::protocol::xproto::Visibility::UNOBSCURED
                    && self.page.shape == Shape::Bar
                    && self
                        .window
                        .is_some_and(|(window, ..)| window == seen.window) =>
            {
                self.come_to_the_front()?;
            }
            Event::ButtonPress(press) if press.response_type & SENT == 0 && press.detail == 1 => {
                self.take_focus()?;
                return Ok(self.pressed_at(press.event_x.into(), press.event_y.into()));
            }
            Event::KeyPress(press) if press.response_type & SENT == 0 => {
                let shift = press
                    .state
                    .contains(x11rb::protocol::xproto::KeyButMask::SHIFT);
                return self.key(press.detail, shift);
            }
            Event::ClientMessage(message) if message.data.as_data32()[0] == self.atoms.delete => {
                return Ok(Some(GuestEvent::Closed));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Something new to press, or something else is in front of the bar.
    fn come_to_the_front(&self) -> Result<(), PlatformError> {
        if let Some((window, ..)) = self.window {
            let front = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            self.connection
                .configure_window(window, &front)
                .during("ConfigureWindow")?;
            self.connection.flush().during("flush")?;
        }
        Ok(())
    }

    /// Window managers leave windows like the bar without the keyboard.
    fn take_focus(&self) -> Result<(), PlatformError> {
        if let Some((window, ..)) = self.window {
            self.connection
                .set_input_focus(InputFocus::PARENT, window, CURRENT_TIME)
                .during("SetInputFocus")?;
            self.connection.flush().during("flush")?;
        }
        Ok(())
    }

    fn pressed_at(&self, x: i32, y: i32) -> Option<GuestEvent> {
        let spot = self
            .drawn
            .as_ref()?
            .spots
            .iter()
            .find(|spot| spot.holds(x, y))?;
        self.press(spot.action)
    }

    fn press(&self, action: Action) -> Option<GuestEvent> {
        // Only a yes can be meant for the page before; a no is never too early.
        let widens = matches!(action, Action::Allow | Action::Resume);
        (!widens || self.shown_at.elapsed() >= SETTLE).then_some(GuestEvent::Pressed(action))
    }

    fn key(&mut self, keycode: u8, shift: bool) -> Result<Option<GuestEvent>, PlatformError> {
        let mapping = self
            .connection
            .get_keyboard_mapping(keycode, 1)
            .during("GetKeyboardMapping")?;
        let keysyms = mapping.reply().during("GetKeyboardMapping")?.keysyms;
        let plain = keysyms.first().copied().unwrap_or(0);
        let keysym = match keysyms.get(1).copied() {
            Some(shifted) if shift && shifted != 0 => shifted,
            _ => plain,
        };
        let count = self.page.buttons.len();
        let typing = self.page.chat.is_some();
        match keysym {
            TAB | SHIFT_TAB if count > 0 => {
                let step = if shift { count - 1 } else { 1 };
                self.focus = Some(
                    self.focus
                        .map_or(if shift { count - 1 } else { 0 }, |at| (at + step) % count),
                );
                self.redraw()?;
            }
            RETURN | KEYPAD_ENTER if typing && !self.draft.trim().is_empty() => {
                let line = std::mem::take(&mut self.draft);
                self.redraw()?;
                return Ok(Some(GuestEvent::Typed(line.trim().to_owned())));
            }
            RETURN | KEYPAD_ENTER => return Ok(self.press_focused()),
            SPACE if self.focus.is_some() && self.draft.is_empty() => {
                return Ok(self.press_focused());
            }
            BACKSPACE if typing => {
                self.draft.pop();
                self.redraw()?;
            }
            other if typing => {
                let character = xkeysym::Keysym::from(other).key_char();
                let room = self.draft.chars().count() < MAX_TYPED_CHARS;
                if let Some(character) =
                    character.filter(|character| room && !character.is_control())
                {
                    self.draft.push(character);
                    self.focus = None;
                    self.redraw()?;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn press_focused(&self) -> Option<GuestEvent> {
        let button = self.page.buttons.get(self.focus?)?;
        self.press(button.action)
    }
}

impl GuestWindow for X11GuestWindow {
    fn is_first(&self) -> bool {
        self.first
    }

    fn show(&mut self, page: &Page) -> Result<(), PlatformError> {
        if *page == self.page && self.window.is_some() {
            return Ok(());
        }
        if page.asks() != self.page.asks() {
            self.shown_at = Instant::now();
            self.focus = None;
            self.page = page.clone();
            self.redraw()?;
            return self.come_to_the_front();
        }
        self.page = page.clone();
        self.redraw()
    }

    fn wait(&mut self, timeout: Duration) -> Result<Option<GuestEvent>, PlatformError> {
        let end = Instant::now() + timeout;
        loop {
            while let Some(event) = self.connection.poll_for_event().during("poll")? {
                if let Some(event) = self.handle(&event)? {
                    return Ok(Some(event));
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let timeout = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut socket = [PollFd::from_borrowed_fd(
                self.connection.stream().as_fd(),
                PollFlags::IN,
            )];
            // Interrupted or not: what came is looked at, and the time that is left waited for.
            let _woken = poll(&mut socket, Some(&timeout));
        }
    }
}

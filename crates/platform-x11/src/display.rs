//! The desktop of one X screen: its layout, and the ways to capture and control it.

use std::io;

use gc_model::geometry::{Display, DisplayLayout, MAX_DISPLAYS, Rect, Size};
use gc_platform::{Capture, Desktop, Input, PlatformError};
use x11rb::connection::Connection as _;
use x11rb::connection::RequestConnection as _;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageOrder, Screen};
use x11rb::rust_connection::RustConnection;

use crate::capture::X11Capture;
use crate::error::During;
use crate::input::X11Input;

/// A desktop on an X server.
pub struct X11Desktop {
    /// What to connect to; `None` is the environment's `DISPLAY`.
    name: Option<String>,
    connection: Connection,
}

impl X11Desktop {
    /// Connects to an X server; `None` takes `DISPLAY` from the environment.
    ///
    /// # Errors
    /// [`PlatformError::Os`] when it cannot be reached, [`PlatformError::Unsupported`] for screens that are not 24 bits deep.
    pub fn connect(name: Option<&str>) -> Result<Self, PlatformError> {
        Ok(Self {
            name: name.map(str::to_owned),
            connection: Connection::open(name)?,
        })
    }
}

impl Desktop for X11Desktop {
    fn layout(&mut self) -> Result<DisplayLayout, PlatformError> {
        self.connection.layout()
    }

    fn open_capture(&mut self) -> Result<Box<dyn Capture>, PlatformError> {
        Ok(Box::new(X11Capture::open(Connection::open(
            self.name.as_deref(),
        )?)?))
    }

    /// # Platforms
    /// Input has a connection of its own, so that a key never waits for a picture.
    fn open_input(&mut self) -> Result<Box<dyn Input>, PlatformError> {
        Ok(Box::new(X11Input::open(Connection::open(
            self.name.as_deref(),
        )?)?))
    }

    /// Ctrl+Alt+Del means nothing to an X server.
    fn has_secure_attention(&self) -> bool {
        false
    }
}

/// A connection and the screen that it shows.
pub(crate) struct Connection {
    pub(crate) x: RustConnection,
    pub(crate) root: u32,
}

impl Connection {
    pub(crate) fn open(name: Option<&str>) -> Result<Self, PlatformError> {
        let (x, screen) = RustConnection::connect(name).map_err(|error| PlatformError::Os {
            call: "connecting to the X server",
            source: io::Error::other(error),
        })?;
        check_pixels(&x, &x.setup().roots[screen])?;
        let root = x.setup().roots[screen].root;
        Ok(Self { x, root })
    }

    /// True when the server has the extension.
    pub(crate) fn has(&self, extension: &'static str) -> Result<bool, PlatformError> {
        Ok(self
            .x
            .extension_information(extension)
            .during("QueryExtension")?
            .is_some())
    }

    /// Size of the root window now.
    pub(crate) fn picture(&self) -> Result<Size, PlatformError> {
        let geometry = self
            .x
            .get_geometry(self.root)
            .during("GetGeometry")?
            .reply()
            .during("GetGeometry")?;
        Size::new(geometry.width.into(), geometry.height.into()).map_err(|error| {
            PlatformError::Os {
                call: "reading the screen's size",
                source: io::Error::other(error),
            }
        })
    }

    /// The monitors as `RandR` 1.5 names them; one display that fills the screen without it.
    pub(crate) fn layout(&self) -> Result<DisplayLayout, PlatformError> {
        let picture = self.picture()?;
        let mut displays = self.monitors(picture)?;
        if displays.is_empty() {
            displays.push(Display {
                id: 0,
                name: "Screen".to_owned(),
                x: 0,
                y: 0,
                size: picture,
                primary: true,
            });
        }
        // Exactly one primary display, whatever the server says.
        let primary = displays
            .iter()
            .position(|display| display.primary)
            .unwrap_or(0);
        for (index, display) in displays.iter_mut().enumerate() {
            display.primary = index == primary;
        }
        Ok(DisplayLayout { picture, displays })
    }

    fn monitors(&self, picture: Size) -> Result<Vec<Display>, PlatformError> {
        if !self.has(randr::X11_EXTENSION_NAME)? {
            return Ok(Vec::new());
        }
        let version = self
            .x
            .randr_query_version(1, 5)
            .during("RRQueryVersion")?
            .reply()
            .during("RRQueryVersion")?;
        if (version.major_version, version.minor_version) < (1, 5) {
            return Ok(Vec::new());
        }
        let reply = self
            .x
            .randr_get_monitors(self.root, true)
            .during("RRGetMonitors")?
            .reply()
            .during("RRGetMonitors")?;
        let mut displays = Vec::new();
        for monitor in reply.monitors.iter().take(MAX_DISPLAYS) {
            let rect = clipped(monitor, picture);
            let Ok(size) = Size::new(rect.width, rect.height) else {
                continue;
            };
            let name = self
                .x
                .get_atom_name(monitor.name)
                .during("GetAtomName")?
                .reply()
                .during("GetAtomName")?;
            displays.push(Display {
                id: monitor.name,
                name: String::from_utf8_lossy(&name.name).into_owned(),
                x: rect.x.cast_signed(),
                y: rect.y.cast_signed(),
                size,
                primary: monitor.primary,
            });
        }
        Ok(displays)
    }
}

fn clipped(monitor: &randr::MonitorInfo, picture: Size) -> Rect {
    let (x, y) = (
        monitor.x.max(0).unsigned_abs(),
        monitor.y.max(0).unsigned_abs(),
    );
    Rect {
        x: x.into(),
        y: y.into(),
        width: monitor.width.into(),
        height: monitor.height.into(),
    }
    .clamped(picture)
}

/// Checks that pixels are BGRX in memory, which is what everything above expects.
fn check_pixels(x: &RustConnection, screen: &Screen) -> Result<(), PlatformError> {
    let bits = x
        .setup()
        .pixmap_formats
        .iter()
        .find(|format| format.depth == screen.root_depth);
    let visual = screen
        .allowed_depths
        .iter()
        .flat_map(|depth| &depth.visuals)
        .find(|visual| visual.visual_id == screen.root_visual);
    let masks = visual.map(|visual| (visual.red_mask, visual.green_mask, visual.blue_mask));
    let fits = bits.is_some_and(|format| format.bits_per_pixel == 32)
        && masks == Some((0x00ff_0000, 0x0000_ff00, 0x0000_00ff))
        && x.setup().image_byte_order == ImageOrder::LSB_FIRST;
    if fits {
        Ok(())
    } else {
        Err(PlatformError::Unsupported(
            "a screen with another colour depth than 24 bits",
        ))
    }
}

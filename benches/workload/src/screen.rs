//! A thin, safe way to draw: one connection, windows that no window manager touches,
//! pictures that live in the X server and are copied there.

use anyhow::{Context, ensure};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt, CreateGCAux,
    CreateWindowAux, Drawable, EventMask, Gcontext, ImageFormat, PropMode, Rectangle, Window,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::canvas::{Canvas, Rgb};

/// A rectangle on the screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: i16,
    pub(crate) y: i16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Area {
    pub(crate) const fn new(x: i16, y: i16, width: u16, height: u16) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

/// A picture kept by the X server.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) id: Drawable,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

pub(crate) struct Screen {
    connection: RustConnection,
    root: Window,
    context: Gcontext,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Screen {
    /// Connects to the display that `DISPLAY` names.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let (connection, number) = x11rb::connect(None).context("connect to the X display")?;
        let screen = &connection.setup().roots[number];
        ensure!(
            screen.root_depth == 24,
            "the display has to have 24 bits for a pixel"
        );
        let (root, width, height) = (screen.root, screen.width_in_pixels, screen.height_in_pixels);
        let context = connection.generate_id()?;
        connection.create_gc(context, root, &CreateGCAux::new().graphics_exposures(0))?;
        Ok(Self {
            connection,
            root,
            context,
            width,
            height,
        })
    }

    pub(crate) fn connection(&self) -> &RustConnection {
        &self.connection
    }

    pub(crate) fn whole(&self) -> Area {
        Area::new(0, 0, self.width, self.height)
    }

    /// Returns when the X server has done everything asked so far.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        self.connection.get_input_focus()?.reply()?;
        Ok(())
    }

    /// A window on top of all others, out of the window manager's hands.
    pub(crate) fn window(&self, area: Area, background: Rgb) -> anyhow::Result<Window> {
        self.create_window(area, background, true, EventMask::NO_EVENT)
    }

    /// A window that receives keys and buttons; with `managed` the window manager frames it.
    pub(crate) fn input_window(
        &self,
        area: Area,
        background: Rgb,
        managed: bool,
    ) -> anyhow::Result<Window> {
        let mask = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::FOCUS_CHANGE
            | EventMask::EXPOSURE;
        self.create_window(area, background, !managed, mask)
    }

    fn create_window(
        &self,
        area: Area,
        background: Rgb,
        on_top: bool,
        mask: EventMask,
    ) -> anyhow::Result<Window> {
        let window = self.connection.generate_id()?;
        let settings = CreateWindowAux::new()
            .override_redirect(u32::from(on_top))
            .background_pixel(background.0)
            .event_mask(mask);
        self.connection.create_window(
            x11rb::COPY_FROM_PARENT as u8,
            window,
            self.root,
            area.x,
            area.y,
            area.width,
            area.height,
            0,
            WindowClass::INPUT_OUTPUT,
            x11rb::COPY_FROM_PARENT,
            &settings,
        )?;
        self.connection.change_property8(
            PropMode::REPLACE,
            window,
            AtomEnum::WM_NAME,
            AtomEnum::STRING,
            b"gc-workload",
        )?;
        self.connection.map_window(window)?;
        Ok(window)
    }

    pub(crate) fn move_window(&self, window: Window, x: i32, y: i32) -> anyhow::Result<()> {
        self.connection
            .configure_window(window, &ConfigureWindowAux::new().x(x).y(y))?;
        Ok(())
    }

    /// Gives a window a picture that the X server repaints by itself.
    pub(crate) fn set_background(&self, window: Window, picture: Stored) -> anyhow::Result<()> {
        self.connection.change_window_attributes(
            window,
            &ChangeWindowAttributesAux::new().background_pixmap(picture.id),
        )?;
        self.connection.clear_area(false, window, 0, 0, 0, 0)?;
        Ok(())
    }

    pub(crate) fn set_wallpaper(&self, picture: Stored) -> anyhow::Result<()> {
        self.set_background(self.root, picture)
    }

    pub(crate) fn fill(&self, target: Drawable, area: Area, colour: Rgb) -> anyhow::Result<()> {
        let change = x11rb::protocol::xproto::ChangeGCAux::new().foreground(colour.0);
        self.connection.change_gc(self.context, &change)?;
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        self.connection.poly_fill_rectangle(
            target,
            self.context,
            &[Rectangle {
                x,
                y,
                width,
                height,
            }],
        )?;
        Ok(())
    }

    /// Copies `area` of a drawable to a place on another, inside the X server.
    pub(crate) fn copy(
        &self,
        from: Drawable,
        area: Area,
        to: Drawable,
        x: i16,
        y: i16,
    ) -> anyhow::Result<()> {
        self.connection.copy_area(
            from,
            to,
            self.context,
            area.x,
            area.y,
            x,
            y,
            area.width,
            area.height,
        )?;
        Ok(())
    }

    /// Sends pixels to a drawable, in as many requests as the server's limit asks for.
    pub(crate) fn put(
        &self,
        target: Drawable,
        canvas: &Canvas,
        x: i16,
        y: i16,
    ) -> anyhow::Result<()> {
        const REQUEST_HEADER_BYTES: usize = 32;
        let bytes_per_row = usize::from(canvas.width) * 4;
        let limit = self.connection.maximum_request_bytes() - REQUEST_HEADER_BYTES;
        let rows_per_request = (limit / bytes_per_row).max(1);
        for (part, rows) in canvas
            .rows()
            .chunks(rows_per_request * usize::from(canvas.width))
            .enumerate()
        {
            let bytes: Vec<u8> = rows.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
            self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                target,
                self.context,
                canvas.width,
                (rows.len() / usize::from(canvas.width)) as u16,
                x,
                y + (part * rows_per_request) as i16,
                0,
                24,
                &bytes,
            )?;
        }
        Ok(())
    }

    /// Keeps a canvas in the X server.
    pub(crate) fn store(&self, canvas: &Canvas) -> anyhow::Result<Stored> {
        let id = self.connection.generate_id()?;
        self.connection
            .create_pixmap(24, id, self.root, canvas.width, canvas.height)?;
        self.put(id, canvas, 0, 0)?;
        Ok(Stored {
            id,
            width: canvas.width,
            height: canvas.height,
        })
    }

    /// Puts a stored picture on a drawable as a whole.
    pub(crate) fn show(&self, picture: Stored, on: Drawable) -> anyhow::Result<()> {
        self.copy(
            picture.id,
            Area::new(0, 0, picture.width, picture.height),
            on,
            0,
            0,
        )
    }
}

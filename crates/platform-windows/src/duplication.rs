//! Desktop duplication without Windows: which outputs make up the picture, where what they
//! report lies in it, when GDI reads the screen instead, and when duplication is tried again.
//! The system calls are behind [`Output`] and [`Ways`], which tests play by a script.

mod choice;
mod composer;
mod reader;
#[cfg(test)]
mod scripted;

use std::time::Duration;

use gc_codec::FrameView;
use gc_model::geometry::{Rect, Size};

pub use choice::Choice;
pub use composer::Composer;
pub use reader::{Reader, Ways};

/// Why duplication does not show the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Windows 7 has none, nor has Wine.
    NotImplemented,
    /// Not with this display driver, or not in a session like this.
    Unsupported,
    /// Windows lets only a few programs do it at once.
    Busy,
    /// Not for this account on the desktop that shows.
    Denied,
    /// The desktop or the display mode changed; open it again.
    Lost,
    /// Some monitor belongs to no output.
    Incomplete,
    /// It was opened, and no picture came.
    NoPicture,
    /// Another failure, by its number.
    Failed(u32),
}

impl Fault {
    /// Reads what a call of DXGI or Direct3D answered.
    pub const fn from_code(code: i32) -> Self {
        match code.cast_unsigned() {
            // E_NOTIMPL, E_NOINTERFACE
            0x8000_4001 | 0x8000_4002 => Self::NotImplemented,
            // DXGI_ERROR_UNSUPPORTED, DXGI_ERROR_SESSION_DISCONNECTED
            0x887a_0004 | 0x887a_0028 => Self::Unsupported,
            // DXGI_ERROR_NOT_CURRENTLY_AVAILABLE
            0x887a_0022 => Self::Busy,
            // E_ACCESSDENIED, DXGI_ERROR_ACCESS_DENIED
            0x8007_0005 | 0x887a_002b => Self::Denied,
            // DXGI_ERROR_ACCESS_LOST, DXGI_ERROR_MODE_CHANGE_IN_PROGRESS
            0x887a_0026 | 0x887a_0025 => Self::Lost,
            other => Self::Failed(other),
        }
    }

    /// For the technician, after "desktop duplication: ".
    pub fn sentence(self) -> String {
        match self {
            Self::NotImplemented => "not implemented by this system".to_owned(),
            Self::Unsupported => "not supported by this display driver or session".to_owned(),
            Self::Busy => "in use by too many programs".to_owned(),
            Self::Denied => "not allowed on this desktop".to_owned(),
            Self::Lost => "interrupted again and again".to_owned(),
            Self::Incomplete => "does not show every monitor".to_owned(),
            Self::NoPicture => "no picture came".to_owned(),
            Self::Failed(code) => format!("failed with code {code:08X}"),
        }
    }
}

/// How an output's surface is turned to stand upright on the screen, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// As it is.
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

impl Rotation {
    /// The size on the screen of a surface of this size.
    ///
    /// # Panics
    /// Never: the limits of a size are the same for both sides.
    #[must_use]
    pub fn turned(self, surface: Size) -> Size {
        match self {
            Self::None | Self::Half => surface,
            Self::Quarter | Self::ThreeQuarters => Size::new(surface.height(), surface.width())
                .expect("both sides have the same limits"),
        }
    }

    /// Where on the screen a rectangle of a surface of this size is, from the output's corner.
    #[must_use]
    pub fn rect(self, rect: Rect, surface: Size) -> Rect {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        let (right, bottom) = (surface.width() - x - width, surface.height() - y - height);
        match self {
            Self::None => rect,
            Self::Quarter => Rect {
                x: bottom,
                y: x,
                width: height,
                height: width,
            },
            Self::Half => Rect {
                x: right,
                y: bottom,
                width,
                height,
            },
            Self::ThreeQuarters => Rect {
                x: y,
                y: right,
                width: height,
                height: width,
            },
        }
    }
}

/// Where an output is, in the coordinates of the virtual screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Size of its surface, before it is turned.
    pub surface: Size,
    /// How it is turned.
    pub rotation: Rotation,
}

/// A rectangle as an output reports it, in coordinates of its surface; not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Behind the last column.
    pub right: i32,
    /// Behind the last row.
    pub bottom: i32,
}

impl Reported {
    /// The part of it that lies on a surface of this size; empty when there is none.
    #[must_use]
    pub fn on(self, surface: Size) -> Rect {
        Rect::between(self.left, self.top, self.right, self.bottom).clamped(surface)
    }
}

/// What an output has that is new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Where pixels are new: painted, or moved there from elsewhere.
    pub pixels: Pixels,
    /// Whether the pointer has to be drawn, where that was said. It is not when it is
    /// hidden, on another output, or a part of the pixels.
    pub pointer: Option<bool>,
}

/// Where pixels are new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Pixels {
    /// Nowhere.
    #[default]
    None,
    /// Here and nowhere else.
    In(Vec<Reported>),
    /// Perhaps everywhere: the system did not say.
    Anywhere,
}

/// One monitor's duplication.
pub trait Output: Send {
    /// Where it is.
    fn place(&self) -> Place;

    /// Waits for news, at most for `patience`. With [`Pixels`] the surface is held
    /// until [`Output::release`].
    ///
    /// # Errors
    /// After one, this output is not asked again.
    fn acquire(&mut self, patience: Duration) -> Result<News, Fault>;

    /// Hands over the surface that is held, of which only `areas` are sure to be right.
    ///
    /// # Errors
    /// As above.
    fn read(&mut self, areas: &[Rect], paint: &mut dyn FnMut(&FrameView<'_>)) -> Result<(), Fault>;

    /// Lets go of the surface.
    fn release(&mut self);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).expect("a small size")
    }

    const ROTATIONS: [Rotation; 4] = [
        Rotation::None,
        Rotation::Quarter,
        Rotation::Half,
        Rotation::ThreeQuarters,
    ];

    #[test]
    fn a_corner_of_the_surface_is_where_turning_takes_it() {
        let surface = size(40, 30);
        let dot = Rect {
            x: 0,
            y: 0,
            width: 2,
            height: 1,
        };

        let places: Vec<_> = ROTATIONS
            .iter()
            .map(|rotation| rotation.rect(dot, surface))
            .map(|rect| (rect.x, rect.y, rect.width, rect.height))
            .collect();

        assert_eq!(
            places,
            [(0, 0, 2, 1), (29, 0, 1, 2), (38, 29, 2, 1), (0, 38, 1, 2)]
        );
    }

    #[test]
    fn what_the_calls_answer_is_told_apart() {
        let cases = [
            (0x8000_4001, Fault::NotImplemented),
            (0x887a_0004, Fault::Unsupported),
            (0x887a_0022, Fault::Busy),
            (0x8007_0005, Fault::Denied),
            (0x887a_0026, Fault::Lost),
            (0x887a_0005, Fault::Failed(0x887a_0005)),
        ];
        for (code, fault) in cases {
            assert_eq!(Fault::from_code(u32::cast_signed(code)), fault);
        }
        assert_eq!(
            Fault::Failed(0x887a_0005).sentence(),
            "failed with code 887A0005"
        );
    }

    proptest! {
        #[test]
        fn a_turned_rectangle_keeps_its_area_and_stays_on_the_screen(
            (width, height) in (1_u32..200, 1_u32..200),
            (left, top, right, bottom) in (-50_i32..250, -50_i32..250, -50_i32..250, -50_i32..250),
            rotation in prop::sample::select(&ROTATIONS[..]),
        ) {
            let surface = size(width, height);
            let rect = Reported { left, top, right, bottom }.on(surface);

            let turned = rotation.rect(rect, surface);

            prop_assert!(rect.fits(surface));
            prop_assert_eq!(turned.area(), rect.area());
            prop_assert!(turned.fits(rotation.turned(surface)));
        }
    }
}

//! The icon beside the clock, where a system has one: a menu, and news that
//! appear beside it for a moment.

/// The icon. Belongs to one thread.
pub trait Tray {
    /// Tells the icon something, from any thread.
    fn teller(&self) -> Box<dyn TrayTeller>;

    /// Waits until the person chooses something; its place in the menu. `None` when the icon
    /// is gone. Uses no time of the processor while it waits.
    fn wait(&mut self) -> Option<usize>;
}

/// See [`Tray::teller`].
pub trait TrayTeller: Send {
    /// Shows that from now on.
    fn show(&self, face: TrayFace);

    /// Takes the icon away.
    fn end(&self);
}

/// What the icon shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrayFace {
    /// Said when the pointer rests on it.
    pub tip: String,
    /// Somebody looks at the screen: the icon has another colour.
    pub is_watched: bool,
    /// A title and a sentence that appear beside it, once.
    pub news: Option<(String, String)>,
}

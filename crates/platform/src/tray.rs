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
    /// What the icon says when the pointer rests on it, and news, a title and a sentence, that
    /// appear beside it.
    fn show(&self, tip: &str, news: Option<(&str, &str)>);

    /// Takes the icon away.
    fn end(&self);
}

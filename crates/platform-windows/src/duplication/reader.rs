//! Reads the screen by duplication or by GDI, whichever works now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gc_codec::FrameView;
use gc_model::geometry::Rect;
use gc_platform::{PlatformError, ScreenSource};

use super::{Choice, Composer, Fault, Output};
use crate::screen::{Monitor, VirtualScreen};

/// What a system offers for reading the screen.
pub trait Ways: Send {
    /// One monitor's duplication.
    type Output: Output;

    /// True once [`Ways::duplicate`] answers without a long wait. Until then it is being
    /// prepared, which the first question begins.
    fn is_prepared(&mut self) -> bool;

    /// Begins to duplicate every output.
    ///
    /// # Errors
    /// Why that cannot be.
    fn duplicate(&mut self) -> Result<Vec<Self::Output>, Fault>;

    /// Reads the whole screen by GDI; where it differs from the last look. The first look,
    /// and one after [`Ways::rest`], finds all of it new.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn look(&mut self) -> Result<Vec<Rect>, PlatformError>;

    /// The picture of the last look.
    fn view(&self) -> FrameView<'_>;

    /// No look for a while: what only looks need is given back.
    fn rest(&mut self);
}

/// The picture of the whole screen, and who makes it.
pub struct Reader<W: Ways> {
    ways: W,
    screen: VirtualScreen,
    monitors: Vec<Monitor>,
    choice: Arc<Mutex<Choice>>,
    duplication: Option<Composer<W::Output>>,
    /// What duplication showed last, until something else is seen.
    last: Option<Vec<u8>>,
}

impl<W: Ways> Reader<W> {
    /// Reads `screen`, on which there are `monitors`. How duplication went is remembered in
    /// `choice` beyond this reader's life.
    pub const fn new(
        ways: W,
        screen: VirtualScreen,
        monitors: Vec<Monitor>,
        choice: Arc<Mutex<Choice>>,
    ) -> Self {
        Self {
            ways,
            screen,
            monitors,
            choice,
            duplication: None,
            last: None,
        }
    }

    /// The screen that is read.
    pub const fn screen(&self) -> VirtualScreen {
        self.screen
    }

    /// Its monitors.
    pub fn monitors(&self) -> &[Monitor] {
        &self.monitors
    }

    /// True while the system says what is new, and [`Reader::poll`] costs next to nothing.
    pub const fn is_announced(&self) -> bool {
        self.duplication.is_some()
    }

    /// True when [`Reader::grab`] may find something new. Never without announcements.
    pub fn poll(&mut self, now: Instant) -> bool {
        match self.duplication.as_mut().map(Composer::poll) {
            None => false,
            Some(Ok(is_new)) => is_new,
            Some(Err(fault)) => {
                self.leave_duplication(now, fault);
                true
            }
        }
    }

    /// Brings the picture up to date; where it may be new.
    ///
    /// # Errors
    /// GDI's, which reads the screen when nothing else can.
    pub fn grab(&mut self, now: Instant) -> Result<Vec<Rect>, PlatformError> {
        match self.duplication.as_mut().map(Composer::grab) {
            Some(Ok(changed)) => return Ok(changed),
            Some(Err(fault)) => self.leave_duplication(now, fault),
            None => {}
        }
        // Each attempt ends with one that worked or counts towards giving up. Nobody waits for
        // drivers that are still being loaded: GDI shows the screen meanwhile.
        while self.choice().is_due(now) && self.ways.is_prepared() {
            match self.open() {
                Ok(composer) => {
                    self.choice().handle_opened(now);
                    self.duplication = Some(composer);
                    self.last = None;
                    self.ways.rest();
                    return Ok(vec![Rect::whole(self.screen.size())]);
                }
                Err(fault) => self.choice().handle_fault(now, fault),
            }
        }
        let changed = self.ways.look()?;
        if !changed.is_empty() {
            self.last = None;
        }
        Ok(changed)
    }

    /// The picture as of the last grab, also after what showed it is gone.
    pub fn view(&self) -> FrameView<'_> {
        match (&self.duplication, &self.last) {
            (Some(composer), _) => composer.view(),
            (None, Some(last)) => self.screen.view(last),
            (None, None) => self.ways.view(),
        }
    }

    /// False when the pointer is a part of the picture.
    pub fn has_pointer_apart(&self) -> bool {
        self.duplication
            .as_ref()
            .is_none_or(Composer::has_pointer_apart)
    }

    /// Who makes the picture, and why not the better one.
    pub fn source(&self) -> ScreenSource {
        if self.duplication.is_some() {
            return ScreenSource::new("desktop duplication", String::new());
        }
        match self.choice().fault() {
            Some(fault) => {
                ScreenSource::new("GDI", format!("desktop duplication: {}", fault.sentence()))
            }
            None => ScreenSource::for_now("GDI", "desktop duplication: being prepared".to_owned()),
        }
    }

    fn open(&mut self) -> Result<Composer<W::Output>, Fault> {
        let outputs = self.ways.duplicate()?;
        Composer::open(self.screen, &self.monitors, outputs)
    }

    fn leave_duplication(&mut self, now: Instant, fault: Fault) {
        self.last = self.duplication.take().map(Composer::into_picture);
        self.choice().handle_fault(now, fault);
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::duplication::Rotation;
    use crate::duplication::scripted::{Machine, rotated};

    fn whole(machine: &Machine) -> Vec<Rect> {
        vec![Rect::whole(machine.screen().size())]
    }

    fn source(reader: &Reader<Machine>) -> String {
        let source = reader.source();
        format!("{} ({})", source.method, source.reason)
    }

    #[test]
    fn duplication_reads_what_is_painted_on_every_monitor() {
        let machine = Machine::new(&[(-40, 8, 40, 30), (0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());

        assert_eq!(reader.grab(now).expect("a grab"), whole(&machine));
        assert_eq!(source(&reader), "desktop duplication ()");
        machine.settle(&mut reader, now);
        machine.paint(1, 10, 5, 3, 2);
        assert!(reader.poll(now));
        let changed = reader.grab(now).expect("a grab");

        let painted = Rect {
            x: 50,
            y: 5,
            width: 3,
            height: 2,
        };
        assert_eq!(changed, [painted]);
        machine.assert_shown(&reader);
        assert!(!reader.poll(now));
        assert_eq!(reader.grab(now).expect("a grab"), []);
    }

    #[test]
    fn what_came_while_nobody_asked_is_in_the_next_picture() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");
        machine.paint(0, 1, 1, 4, 4);
        assert!(reader.poll(now));

        machine.paint(0, 30, 20, 4, 4);
        reader.grab(now).expect("a grab");

        machine.assert_shown(&reader);
    }

    #[test]
    fn moved_pixels_are_new_where_they_went() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");
        machine.settle(&mut reader, now);

        machine.scroll(0, 8);
        let changed = reader.grab(now).expect("a grab");

        assert_eq!(changed.len(), 1);
        machine.assert_shown(&reader);
    }

    #[test]
    fn turned_monitors_stand_upright() {
        for rotation in [Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters] {
            let machine = rotated(rotation, 40, 30);
            let (mut reader, now) = (machine.reader(), Instant::now());
            reader.grab(now).expect("a grab");
            machine.settle(&mut reader, now);

            machine.paint(0, 3, 2, 7, 5);
            reader.grab(now).expect("a grab");

            machine.assert_shown(&reader);
        }
    }

    #[test]
    fn a_system_without_duplication_is_read_by_gdi_and_says_why() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        machine.refuse(Some(Fault::NotImplemented));
        let (mut reader, now) = (machine.reader(), Instant::now());

        reader.grab(now).expect("a grab");

        assert_eq!(
            source(&reader),
            "GDI (desktop duplication: not implemented by this system)"
        );
        assert!(!reader.is_announced());
        machine.assert_shown(&reader);
    }

    #[test]
    fn the_screen_is_seen_at_once_while_duplication_is_being_prepared() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        machine.set_prepared(false);
        let (mut reader, now) = (machine.reader(), Instant::now());

        assert_eq!(reader.grab(now).expect("a grab"), whole(&machine));
        assert_eq!(source(&reader), "GDI (desktop duplication: being prepared)");
        assert!(reader.source().for_now && !reader.is_announced());
        machine.assert_shown(&reader);
        machine.set_prepared(true);
        reader.grab(now).expect("a grab");

        assert_eq!(source(&reader), "desktop duplication ()");
        machine.assert_shown(&reader);
    }

    #[test]
    fn a_system_that_turns_out_to_have_no_duplication_goes_on_with_gdi() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        machine.set_prepared(false);
        machine.refuse(Some(Fault::NotImplemented));
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");

        machine.set_prepared(true);

        assert_eq!(reader.grab(now).expect("a grab"), [], "the same picture");
        assert_eq!(
            source(&reader),
            "GDI (desktop duplication: not implemented by this system)"
        );
        assert!(!reader.source().for_now);
    }

    #[test]
    fn a_desktop_that_switches_is_opened_again_at_once() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");

        machine.fail(Fault::Lost);
        machine.paint(0, 0, 0, 9, 9);
        assert!(reader.poll(now));
        let changed = reader.grab(now).expect("a grab");

        assert_eq!(changed, whole(&machine));
        assert_eq!(source(&reader), "desktop duplication ()");
        machine.assert_shown(&reader);
    }

    #[test]
    fn the_last_picture_stands_until_there_is_another() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");
        let seen = reader.view().data().to_vec();
        machine.fail(Fault::Lost);
        machine.paint(0, 0, 0, 9, 9);

        assert!(reader.poll(now));

        assert!(reader.view().data() == seen);
    }

    #[test]
    fn gdi_reads_the_screen_after_a_failure_until_duplication_works_again() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");
        machine.refuse(Some(Fault::Failed(0x887a_0005)));
        machine.fail(Fault::Failed(0x887a_0005));

        assert_eq!(reader.grab(now).expect("a grab"), whole(&machine));
        assert_eq!(
            source(&reader),
            "GDI (desktop duplication: failed with code 887A0005)"
        );
        machine.refuse(None);
        machine.paint(0, 5, 5, 5, 5);
        reader.grab(now + Duration::from_secs(4)).expect("a grab");
        assert_eq!(source(&reader).get(..3), Some("GDI"));
        reader.grab(now + Duration::from_secs(11)).expect("a grab");

        assert_eq!(source(&reader), "desktop duplication ()");
        machine.assert_shown(&reader);
    }

    #[test]
    fn a_monitor_that_is_no_output_leaves_all_of_them_to_gdi() {
        let machine = Machine::new(&[(0, 0, 64, 48), (64, 0, 32, 32)]);
        machine.hide_output(1);
        let (mut reader, now) = (machine.reader(), Instant::now());

        reader.grab(now).expect("a grab");

        assert_eq!(
            source(&reader),
            "GDI (desktop duplication: does not show every monitor)"
        );
        machine.assert_shown(&reader);
    }

    #[test]
    fn a_monitor_that_shows_nothing_leaves_it_to_gdi() {
        let machine = Machine::new(&[(0, 0, 64, 48)]);
        machine.send_nothing();
        let (mut reader, now) = (machine.reader(), Instant::now());

        reader.grab(now).expect("a grab");

        assert_eq!(
            source(&reader),
            "GDI (desktop duplication: no picture came)"
        );
    }

    #[test]
    fn a_pointer_that_is_in_the_picture_is_not_drawn_twice() {
        let machine = Machine::new(&[(0, 0, 64, 48), (64, 0, 32, 32)]);
        let (mut reader, now) = (machine.reader(), Instant::now());
        reader.grab(now).expect("a grab");
        assert!(reader.has_pointer_apart());

        machine.say_pointer(0, false);
        reader.poll(now);
        assert!(!reader.has_pointer_apart());
        machine.say_pointer(1, true);
        reader.poll(now);

        assert!(reader.has_pointer_apart());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Paint(u32, u32, u32, u32),
        Scroll(u32),
        Fail(Fault),
        Refuse(Option<Fault>),
        Prepare(bool),
        Poll,
        Grab,
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let fault = prop::sample::select(vec![
            Fault::Lost,
            Fault::Busy,
            Fault::Denied,
            Fault::Unsupported,
            Fault::Failed(5),
        ]);
        let step = prop_oneof![
            4 => (0_u32..64, 0_u32..48, 0_u32..80, 0_u32..80)
                .prop_map(|(x, y, width, height)| Step::Paint(x, y, width, height)),
            1 => (1_u32..20).prop_map(Step::Scroll),
            1 => fault.clone().prop_map(Step::Fail),
            1 => prop::option::of(fault).prop_map(Step::Refuse),
            1 => any::<bool>().prop_map(Step::Prepare),
            2 => Just(Step::Poll),
            4 => Just(Step::Grab),
            1 => (0_u64..100).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn after_every_grab_the_picture_is_the_screen_and_nothing_else_changed(
            steps in steps(),
            prepared: bool,
            rotation in prop::sample::select(vec![
                Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters,
            ]),
        ) {
            let machine = rotated(rotation, 64, 48);
            machine.set_prepared(prepared);
            let (mut reader, mut now) = (machine.reader(), Instant::now());
            reader.grab(now).expect("a grab");
            for step in steps {
                match step {
                    Step::Paint(x, y, width, height) => machine.paint(0, x, y, width, height),
                    Step::Scroll(by) => machine.scroll(0, by),
                    Step::Fail(fault) => machine.fail(fault),
                    Step::Refuse(fault) => machine.refuse(fault),
                    Step::Prepare(prepared) => machine.set_prepared(prepared),
                    Step::Pass(seconds) => now += Duration::from_secs(seconds),
                    Step::Poll => {
                        reader.poll(now);
                    }
                    Step::Grab => {
                        let before = reader.view().data().to_vec();
                        let changed = reader.grab(now).expect("GDI always works here");
                        machine.assert_shown(&reader);
                        machine.assert_only_changed(&before, &reader, &changed);
                    }
                }
            }
        }
    }
}

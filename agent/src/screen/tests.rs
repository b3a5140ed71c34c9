//! Several viewers at one screen in memory.

use std::sync::Arc;
use std::time::Duration;

use gc_codec::{Abilities, Colours, Decoder, EncodeOrder, Pending};
use gc_model::geometry::{Rect, Size};
use gc_platform::Facts;
use gc_platform::fake::{FakeHost, FakeScreen};
use gc_session::Captured;
use tokio::time::timeout;

use super::*;
use crate::desktop_thread::{DesktopEvent, DesktopThread};
use crate::films::Films;

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(20);

const RED: [u8; 4] = [0, 0, 255, 0];
const BLUE: [u8; 4] = [255, 0, 0, 0];
const GREEN: [u8; 4] = [0, 255, 0, 0];

const SOMEWHERE: Rect = Rect {
    x: 70,
    y: 20,
    width: 40,
    height: 30,
};

/// A machine of two displays, 100 and 200 pixels wide.
struct Room {
    screen: FakeScreen,
    screens: Arc<Screens>,
    clock: Clock,
}

impl Room {
    fn new() -> Self {
        let screen = FakeScreen::side_by_side(&[100, 200]);
        let host = FakeHost {
            screen: screen.clone(),
            data_dir: std::env::temp_dir(),
            facts: Facts::default(),
        };
        let clock = Clock::new();
        Self {
            screen,
            screens: Screens::new(Arc::new(host), Films::new(None, None), clock),
            clock,
        }
    }

    /// A viewer comes, and sees the screen as it is.
    async fn join(&self) -> Watcher {
        let watcher = self.sit_down().await;
        watcher.desktop.watch();
        watcher
    }

    /// A viewer comes who may not look yet.
    async fn sit_down(&self) -> Watcher {
        let mut watcher = Watcher {
            desktop: DesktopThread::start(&self.screens, self.clock).expect("a thread"),
            decoder: Decoder::new(Size::new(300, 100).expect("a small screen")).expect("memory"),
            size: Size::new(300, 100).expect("a small screen"),
            shown: Vec::new(),
            pointer: None,
            restart: true,
        };
        let DesktopEvent::Opened(Ok(opened)) = watcher.next().await else {
            panic!("the desktop opens first")
        };
        watcher.resize(opened.layout.picture);
        watcher
    }
}

struct Watcher {
    desktop: DesktopThread,
    decoder: Decoder,
    size: Size,
    shown: Vec<u8>,
    pointer: Option<(i32, i32)>,
    restart: bool,
}

impl Watcher {
    async fn next(&mut self) -> DesktopEvent {
        let event = timeout(PATIENCE, self.desktop.event()).await;
        event.expect("an event in time").expect("the thread works")
    }

    fn resize(&mut self, size: Size) {
        self.size = size;
        self.shown = vec![9; size.area() * 4];
        self.decoder = Decoder::new(size).expect("memory");
        self.restart = true;
    }

    /// Waits for what is new about the screen.
    async fn hear(&mut self) -> DesktopEvent {
        loop {
            match self.next().await {
                DesktopEvent::Pointer(pointer) => self.pointer = Some((pointer.x, pointer.y)),
                event => {
                    if let DesktopEvent::Layout(shown) = &event {
                        self.resize(shown.layout.picture);
                    }
                    return event;
                }
            }
        }
    }

    async fn active(&mut self) {
        while !matches!(self.hear().await, DesktopEvent::Activity) {}
    }

    /// Orders once; false when the displays changed instead.
    async fn order(&mut self) -> Option<Pending> {
        self.desktop.capture(EncodeOrder {
            restart: std::mem::take(&mut self.restart),
            budget_bytes: 1 << 20,
            colours: Colours::All,
            rested: Duration::ZERO,
            hold_films: false,
            viewer: Abilities {
                moves: false,
                photos: false,
            },
            film: None,
            glance_above_bytes: None,
        });
        loop {
            match self.hear().await {
                DesktopEvent::Captured(Captured::Encoded { encoded, .. }) => {
                    if let Some(update) = encoded.update {
                        let pixels = self.decoder.decode(&update.piece()).expect("a good update");
                        paint(&mut self.shown, self.size, &update.rects, pixels);
                    }
                    return Some(encoded.pending);
                }
                DesktopEvent::Captured(Captured::Reopen) => return None,
                DesktopEvent::Captured(Captured::Failed(why)) => panic!("{why}"),
                _ => {}
            }
        }
    }

    /// Orders until there is nothing more to come.
    async fn catch_up(&mut self) {
        while self.order().await == Some(Pending::Now) {}
    }

    fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y * self.size.width() + x) as usize * 4;
        self.shown[at..at + 4].try_into().expect("a pixel")
    }

    /// Waits until the pointer is told to be there.
    async fn pointer_is_at(&mut self, place: (i32, i32)) {
        while self.pointer != Some(place) {
            if let DesktopEvent::Pointer(pointer) = self.next().await {
                self.pointer = Some((pointer.x, pointer.y));
            }
        }
    }

    /// Shows one display alone and waits until it does.
    async fn show(&mut self, only: Option<u32>) {
        self.desktop.show(only);
        while !matches!(self.hear().await, DesktopEvent::Layout(_)) {}
    }
}

fn paint(shown: &mut [u8], size: Size, rects: &[Rect], pixels: &[u8]) {
    let mut from = 0;
    for rect in rects {
        for y in rect.rows() {
            let row = rect.width as usize * 4;
            let at = (y * size.width() + rect.x) as usize * 4;
            shown[at..at + row].copy_from_slice(&pixels[from..from + row]);
            from += row;
        }
    }
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn three_viewers_are_one_capture_and_one_reading_for_each_change() {
    let room = Room::new();
    let mut watchers = [room.join().await, room.join().await, room.join().await];
    for watcher in &mut watchers {
        watcher.active().await;
        watcher.catch_up().await;
    }
    let before = room.screen.reads();

    for colour in [RED, BLUE, GREEN] {
        room.screen.fill(SOMEWHERE, colour);
        for watcher in &mut watchers {
            watcher.active().await;
        }
        for watcher in &mut watchers {
            watcher.catch_up().await;
            assert_eq!(watcher.pixel(70, 20), colour);
            assert_eq!(watcher.pixel(109, 49), colour);
            assert_eq!(watcher.pixel(110, 49), [0; 4]);
        }
    }

    assert_eq!(before.0, 1);
    assert_eq!(room.screen.reads(), (1, before.1 + 3));
}

#[tokio::test]
async fn a_late_comer_gets_the_whole_picture_without_another_reading() {
    let room = Room::new();
    let mut first = room.join().await;
    room.screen.fill(SOMEWHERE, RED);
    first.active().await;
    first.catch_up().await;
    let before = room.screen.reads();

    let mut second = room.join().await;
    second.catch_up().await;

    assert_eq!(second.shown, first.shown);
    assert_eq!(second.pixel(70, 20), RED);
    assert_eq!(room.screen.reads(), before);
}

#[tokio::test]
async fn nobody_is_shown_what_was_on_the_screen_before_they_were_allowed_to_look() {
    let room = Room::new();
    room.screen.fill(SOMEWHERE, RED);
    let mut first = room.join().await;
    first.catch_up().await;
    let mut waiting = room.sit_down().await;
    drop(first);

    room.screen.fill(SOMEWHERE, GREEN);
    waiting.desktop.watch();
    waiting.catch_up().await;

    assert_eq!(waiting.pixel(70, 20), GREEN);
}

#[tokio::test]
async fn who_comes_after_the_screen_has_told_its_news_sees_them_too() {
    let room = Room::new();
    let mut slow = room.join().await;
    slow.catch_up().await;
    room.screen.fill(SOMEWHERE, GREEN);
    slow.active().await;

    let mut second = room.join().await;
    second.catch_up().await;

    assert_eq!(second.pixel(70, 20), GREEN);
}

#[tokio::test]
async fn who_was_away_for_long_gets_all_that_changed_meanwhile() {
    let room = Room::new();
    let mut quick = room.join().await;
    let mut slow = room.join().await;
    quick.catch_up().await;
    slow.catch_up().await;

    for step in 0..40 {
        let rect = Rect {
            x: step * 7,
            y: step * 2,
            width: 9,
            height: 3,
        };
        room.screen.fill(rect, RED);
        quick.active().await;
        quick.catch_up().await;
    }
    slow.active().await;
    slow.catch_up().await;

    assert!(slow.shown == quick.shown);
    assert_eq!(slow.pixel(279, 79), RED);
}

#[tokio::test]
async fn what_one_viewer_read_is_announced_to_the_others() {
    let room = Room::new();
    let mut one = room.join().await;
    let mut other = room.join().await;
    for watcher in [&mut one, &mut other] {
        watcher.active().await;
        watcher.catch_up().await;
    }
    // Drawn and read before anybody was told of it.
    one.desktop.note_input();
    room.screen.fill(SOMEWHERE, BLUE);
    one.catch_up().await;

    other.active().await;
    other.catch_up().await;

    assert!(one.shown == other.shown);
}

#[tokio::test]
async fn when_one_leaves_the_others_go_on() {
    let room = Room::new();
    let first = room.join().await;
    let mut second = room.join().await;
    second.catch_up().await;

    drop(first);
    room.screen.fill(SOMEWHERE, GREEN);
    second.active().await;
    second.catch_up().await;

    assert_eq!(second.pixel(71, 21), GREEN);
    assert_eq!(room.screen.reads().0, 1);
}

#[tokio::test]
async fn nobody_reads_the_screen_after_the_last_has_left() {
    let room = Room::new();
    let mut watcher = room.join().await;
    watcher.catch_up().await;
    drop(watcher);
    until("the reader ends", || lock(&room.screens.running).is_none()).await;

    room.screen.fill(SOMEWHERE, RED);
    let mut next = room.join().await;
    next.catch_up().await;

    assert_eq!(next.pixel(71, 21), RED);
    assert_eq!(room.screen.reads().0, 2, "a capture of its own");
}

#[tokio::test]
async fn one_display_is_shown_beside_a_viewer_of_all() {
    let room = Room::new();
    let mut all = room.join().await;
    let mut right = room.join().await;
    right.show(Some(2)).await;
    assert_eq!(right.size, Size::new(200, 100).expect("a size"));
    for watcher in [&mut all, &mut right] {
        watcher.catch_up().await;
    }

    room.screen.fill(
        Rect {
            x: 90,
            y: 10,
            width: 20,
            height: 5,
        },
        RED,
    );
    room.screen.move_pointer(150, 7);
    for watcher in [&mut all, &mut right] {
        watcher.active().await;
        watcher.catch_up().await;
    }
    all.pointer_is_at((150, 7)).await;
    right.pointer_is_at((50, 7)).await;

    assert_eq!(all.pixel(90, 10), RED);
    assert_eq!(right.pixel(0, 10), RED);
    assert_eq!(right.pixel(9, 14), RED);
    assert_eq!(right.pixel(10, 14), [0; 4]);
    assert_eq!(room.screen.reads().0, 1);
    right.show(None).await;
    right.catch_up().await;
    assert!(right.shown == all.shown);
}

#[tokio::test]
async fn the_pointer_is_in_its_place_when_another_display_is_shown() {
    let room = Room::new();
    let mut watcher = room.join().await;
    room.screen.move_pointer(150, 7);
    watcher.pointer_is_at((150, 7)).await;

    for (only, place) in [(Some(2), (50, 7)), (None, (150, 7)), (Some(1), (150, 7))] {
        watcher.pointer = None;
        watcher.show(only).await;
        // Whatever overtook the news of the display.
        watcher.pointer = None;
        watcher.pointer_is_at(place).await;
    }
}

#[tokio::test]
async fn another_resolution_reaches_everybody() {
    let room = Room::new();
    let mut watchers = [room.join().await, room.join().await];
    for watcher in &mut watchers {
        watcher.catch_up().await;
    }

    let small = Size::new(120, 60).expect("a size");
    room.screen.resize(small);
    room.screen.fill(SOMEWHERE, BLUE);

    for watcher in &mut watchers {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while watcher.size != small || watcher.pixel(71, 21) != BLUE {
            assert!(tokio::time::Instant::now() < deadline);
            watcher.order().await;
        }
    }
}

#[tokio::test]
async fn a_display_that_goes_away_gives_way_to_all() {
    let room = Room::new();
    let mut watcher = room.join().await;
    watcher.show(Some(2)).await;
    watcher.catch_up().await;

    room.screen
        .resize(Size::new(300, 100).expect("a small screen"));
    watcher.active().await;
    assert_eq!(watcher.order().await, None);
    while watcher.size.width() != 300 {
        watcher.hear().await;
    }

    watcher.catch_up().await;
    assert_eq!(watcher.shown.len(), 300 * 100 * 4);
}

#[tokio::test]
async fn everybody_is_told_when_the_desktop_is_gone() {
    let room = Room::new();
    let mut watchers = [room.join().await, room.join().await];

    room.screen.remove_desktop();

    for watcher in &mut watchers {
        while !matches!(watcher.hear().await, DesktopEvent::Lost(_)) {}
    }
    let mut late = DesktopThread::start(&room.screens, room.clock).expect("a thread");
    let event = timeout(PATIENCE, late.event()).await.expect("in time");
    assert!(matches!(event, Some(DesktopEvent::Opened(Err(why))) if why.contains("gone")));
}

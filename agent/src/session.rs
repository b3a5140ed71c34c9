//! One viewer's connection: joins the session's state machine with its
//! WebSocket, the thread that reads the screen and the one that makes input.

use std::sync::Arc;
use std::time::Duration;

use gc_model::geometry::{DisplayLayout, Size};
use gc_model::id::{ParticipantId, SessionId};
use gc_model::input::InputEvent;
use gc_platform::{Guards, Host as Machine, PlatformError};
use gc_proto::limits::MAX_SESSION_MESSAGE_BYTES;
use gc_session::{
    Answer, Captured, CloseReason, Consent, DesktopSession, Elevation, Guard, Host, HostConfig,
    HostNotice, HostOutput, Quality, ScreenSource,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tracing::{debug, info, warn};

use crate::attended::{Attendant, Attended, Command};
use crate::clock::{Clock, random_bytes};
use crate::config::Identity;
use crate::connection::Connector;
use crate::desktop_thread::{DesktopEvent, DesktopThread, sentence};
use crate::films::Films;
use crate::guards::{GuardRoom, Seat};
use crate::input_thread::InputThread;
use crate::looking::{Look, Onlookers, unix_now};
use crate::power::PowerRoom;
use crate::screen::{Opened, Screens};
use crate::websocket::{Closed, OpenError, WebSocket};
use crate::{SOFTWARE, platform};

/// A desktop that does not open within this time is treated as none.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// WebSocket close code: done.
const NORMAL: u16 = 1000;

/// What a technician is told who goes on asking.
const QUESTIONS_CLOSED: &str = "The person at the machine said no three times and is not asked any more. \
    Only they can allow questions again, in their window.";

/// What every session of this agent needs.
pub(crate) struct Context {
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) connector: Connector,
    pub(crate) identity: Identity,
    /// Best picture that the machine's owner allows.
    pub(crate) quality: Option<Quality>,
    /// The codecs for what plays.
    pub(crate) films: Films,
    pub(crate) clock: Clock,
    /// The person of an attended session, who is asked.
    pub(crate) attendant: Option<Arc<Attendant>>,
    /// The logins of the machine, where there may be several.
    pub(crate) desktops: Option<Desktops>,
    /// What the server may order of the machine, where it may.
    pub(crate) power: Option<Arc<PowerRoom>>,
    /// What is kept from the person at the machine.
    pub(crate) guards: Arc<GuardRoom>,
    /// Who looks, for the people at the machine.
    pub(crate) onlookers: Onlookers,
}

/// The logins of the machine, and the way to choose one.
pub(crate) struct Desktops {
    pub(crate) known: watch::Receiver<Vec<DesktopSession>>,
    pub(crate) choose: mpsc::UnboundedSender<u32>,
}

/// A viewer that waits at the server.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) session_id: SessionId,
    pub(crate) participant_id: ParticipantId,
    /// Path of the connection to open, checked by [`crate::control`].
    pub(crate) path: String,
}

/// Why a session did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("the connection for the session cannot be opened")]
    Open(#[from] OpenError),
    #[error("a thread for the session cannot be started")]
    Thread(#[from] std::io::Error),
}

/// Serves one viewer until either side ends it or `stop` has a reason.
pub(crate) async fn run(
    context: &Context,
    screens: &Arc<Screens>,
    offer: &Offer,
    mut stop: watch::Receiver<Option<CloseReason>>,
) -> Result<(), SessionError> {
    // The desktop opens while the connection does.
    let mut desktop = DesktopThread::start(screens, context.clock)?;
    let key = &context.identity.api_key;
    let socket = WebSocket::open(
        &context.connector,
        &offer.path,
        key,
        MAX_SESSION_MESSAGE_BYTES,
    )
    .await?;
    let (opened, unavailable) = match first_event(&mut desktop).await {
        Ok(opened) => (opened, None),
        Err(why) => (no_desktop(), Some(why)),
    };
    let input = match opened.input {
        Ok(input) => Some(InputThread::start(input)?),
        Err(error) => {
            warn!(
                error = sentence(&error),
                "Input cannot be made on this desktop; sessions are view only"
            );
            None
        }
    };
    let config = HostConfig {
        session_id: offer.session_id.clone(),
        participant_id: offer.participant_id.clone(),
        machine_id: context.identity.machine_id.clone(),
        static_secret: *context.identity.secret,
        server_public_key: context.identity.server_public_key,
        unix_seconds: unix_now(),
        seed: random_bytes(),
        layout: opened.layout,
        os_family: platform::os_family(),
        software: SOFTWARE.to_owned(),
        has_input: input.is_some(),
        has_secure_attention: opened.has_secure_attention,
        guards: guards(context),
        quality: context.quality,
        films: context.films.formats(),
        consent: context
            .attendant
            .as_ref()
            .map_or(Consent::NotNeeded, |attendant| {
                attendant.consent(&offer.session_id)
            }),
        elevation: context
            .attendant
            .as_ref()
            .map_or(Elevation::Unavailable, |attendant| attendant.elevation),
    };
    let host = Host::new(config, context.clock.now());
    let attended = context.attendant.as_deref().map(Attended::begin);
    let mut session = Session {
        offer,
        attended,
        known_logins: context.desktops.as_ref().map(|desktops| {
            let mut known = desktops.known.clone();
            known.mark_changed();
            known
        }),
        choose: context
            .desktops
            .as_ref()
            .map(|desktops| desktops.choose.clone()),
        has_choice: false,
        guards: context.guards.sit_down(),
        onlookers: &context.onlookers,
        look: None,
        clock: context.clock,
        host,
        socket,
        desktop,
        input,
        corner: (0, 0),
        unavailable,
        started: false,
        input_fails: false,
    };
    session.serve(&mut stop).await;
    if let Some(input) = session.input.take() {
        input.finish().await;
    }
    session.socket.close(NORMAL, "the session is over").await;
    Ok(())
}

async fn first_event(desktop: &mut DesktopThread) -> Result<Opened, String> {
    match timeout(OPEN_TIMEOUT, desktop.event()).await {
        Ok(Some(DesktopEvent::Opened(opened))) => opened,
        Ok(_) => Err("the desktop could not be opened".to_owned()),
        Err(_) => Err("the desktop did not open in time".to_owned()),
    }
}

/// What can be kept from the person at the machine. Nothing from one who was asked and may
/// pause or end the session.
fn guards(context: &Context) -> Guard {
    if context.attendant.is_some() {
        return Guard::default();
    }
    let Guards {
        block_input,
        blank_screen,
    } = context.machine.guards();
    Guard {
        block_input,
        blank_screen,
    }
}

/// Stands for a desktop that is not there: the viewer is admitted, so that it can be told why.
fn no_desktop() -> Opened {
    let picture = Size::new(1, 1).expect("one pixel is a size");
    Opened {
        layout: DisplayLayout {
            picture,
            displays: Vec::new(),
        },
        input: Err(PlatformError::Gone("the desktop")),
        has_secure_attention: false,
    }
}

struct Session<'a> {
    offer: &'a Offer,
    attended: Option<Attended<'a>>,
    known_logins: Option<watch::Receiver<Vec<DesktopSession>>>,
    choose: Option<mpsc::UnboundedSender<u32>>,
    /// The technician was told of several logins.
    has_choice: bool,
    /// What this technician keeps from the person at the machine, and the others do.
    guards: Seat,
    onlookers: &'a Onlookers,
    /// The people at the machine are told that this technician looks.
    look: Option<Look>,
    clock: Clock,
    host: Host,
    socket: WebSocket,
    desktop: DesktopThread,
    input: Option<InputThread>,
    /// Where the picture begins on the desktop.
    corner: (u32, u32),
    /// Why there is no picture to show.
    unavailable: Option<String>,
    /// The technician may look.
    started: bool,
    /// The last input had no effect and the technician was told.
    input_fails: bool,
}

impl Session<'_> {
    async fn serve(&mut self, stop: &mut watch::Receiver<Option<CloseReason>>) {
        loop {
            self.act().await;
            if self.host.is_ended() {
                return;
            }
            let due = self
                .host
                .poll_timeout()
                .map(|moment| self.clock.instant(moment));
            // What the viewer sends is never behind a frame.
            tokio::select! {
                biased;
                reason = stopped(stop) => self.host.close(self.clock.now(), reason),
                // The person at the machine comes before the technician.
                command = next_command(&mut self.attended) => self.obey(command),
                message = self.socket.receive() => match message {
                    Ok(message) => self.host.handle_message(self.clock.now(), &message),
                    Err(closed) => self.end(&closed),
                },
                event = self.desktop.event(), if self.unavailable.is_none() => self.handle_desktop(event),
                guard = self.guards.changed(), if self.started => {
                    self.host.handle_guard(self.clock.now(), guard, "");
                }
                logins = changed_logins(&mut self.known_logins), if self.started => self.tell_logins(&logins),
                () = sleep_until(due.unwrap_or_else(std::time::Instant::now).into()), if due.is_some() => {
                    self.host.handle_timeout(self.clock.now());
                }
            }
        }
    }

    /// A technician hears of the logins once there is a choice, and from then on.
    fn tell_logins(&mut self, logins: &[DesktopSession]) {
        self.has_choice |= logins.len() > 1;
        if self.has_choice {
            self.host.handle_desktop_sessions(self.clock.now(), logins);
        }
    }

    /// Does everything that the state machine wants done.
    async fn act(&mut self) {
        while let Some(output) = self.host.poll_output() {
            match output {
                HostOutput::Inject(event) => self.inject(event).await,
                HostOutput::Send(message) => self.socket.send(message),
                HostOutput::Capture(order) => match &self.unavailable {
                    None => self.desktop.capture(order),
                    Some(why) => self
                        .host
                        .handle_captured(self.clock.now(), Captured::Failed(why.clone())),
                },
                HostOutput::Show(only) => self.desktop.show(only),
                HostOutput::ShowDesktopSession(id) => {
                    if let Some(choose) = &self.choose {
                        // The worker that is gone has no viewers.
                        let _ending = choose.send(id);
                    }
                }
                HostOutput::Guard(wanted) => self.guard(wanted).await,
                HostOutput::Started {
                    technician,
                    can_control,
                } => {
                    if let Some(attended) = &mut self.attended {
                        attended.started(&self.offer.session_id, &technician, self.host.rights());
                    }
                    info!(session_id = %self.offer.session_id, technician, can_control, "A technician looks at the screen");
                    self.look = Some(self.onlookers.begin(technician, can_control));
                    self.started = true;
                    self.desktop.watch();
                    let guard = self.guards.state();
                    if !guard.is_none() {
                        self.host.handle_guard(self.clock.now(), guard, "");
                    }
                }
                // Nobody is asked on an unattended machine, and nobody there compares words.
                output @ (HostOutput::Words(_)
                | HostOutput::Ask { .. }
                | HostOutput::Settled { .. }) => {
                    if let Some(attended) = &mut self.attended
                        && let Some(unasked) =
                            attended.tell(&self.offer.session_id, &output, self.host.rights())
                    {
                        self.decline(unasked);
                    }
                }
                HostOutput::Ended(why) => {
                    self.look = None;
                    info!(session_id = %self.offer.session_id, why, "The session's connection ends");
                }
            }
        }
    }

    /// The person at the machine wants something.
    fn obey(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Answer { request_id, answer } => {
                self.host.handle_answer(now, request_id, answer);
            }
            Command::Pause(paused) => self.host.handle_pause(now, paused),
            Command::Hold(held) => self.host.handle_hold(now, held),
            Command::ElevationFailed(why) => {
                self.host
                    .handle_notice(now, HostNotice::ElevationFailed, why);
            }
            Command::Disconnect => self.host.close(now, CloseReason::EndedByPerson),
        }
    }

    /// Keeps something from the person at the machine, or gives it back.
    async fn guard(&mut self, wanted: Guard) {
        let (state, detail) = self.guards.wish(wanted).await;
        info!(session_id = %self.offer.session_id, ?state, detail, "What is kept from the person at the machine");
        self.host.handle_guard(self.clock.now(), state, &detail);
    }

    /// Says no for a person who does not want to be asked any more.
    fn decline(&mut self, request_id: u32) {
        let now = self.clock.now();
        self.host
            .handle_notice(now, HostNotice::QuestionsClosed, QUESTIONS_CLOSED);
        self.host.handle_answer(now, request_id, Answer::Decline);
    }

    async fn inject(&mut self, event: InputEvent) {
        let Some(input) = &self.input else { return };
        let event = on_the_desktop(event, self.corner);
        let chord = matches!(event, InputEvent::SecureAttention);
        let Err(error) = input.inject(event).await else {
            self.input_fails = false;
            self.desktop.note_input();
            return;
        };
        debug!(error = sentence(&error), "Input had no effect");
        let now = self.clock.now();
        if chord {
            self.host
                .handle_notice(now, HostNotice::ChordUnsupported, &error.to_string());
        } else if !std::mem::replace(&mut self.input_fails, true) {
            self.host
                .handle_notice(now, HostNotice::InputUnavailable, &error.to_string());
        }
    }

    fn handle_desktop(&mut self, event: Option<DesktopEvent>) {
        let now = self.clock.now();
        match event {
            Some(DesktopEvent::Activity) => self.host.handle_activity(now),
            Some(DesktopEvent::Pointer(pointer)) => self.host.handle_pointer(now, &pointer),
            Some(DesktopEvent::Captured(captured)) => self.host.handle_captured(now, captured),
            Some(DesktopEvent::Layout(shown)) => {
                self.corner = shown.corner;
                self.host.handle_layout(now, shown.layout, shown.only);
            }
            Some(DesktopEvent::Source(source)) => {
                info!(session_id = %self.offer.session_id, method = source.method, reason = source.reason, "The screen is read");
                let source = ScreenSource {
                    method: source.method.to_owned(),
                    reason: source.reason,
                };
                self.host.handle_screen_source(now, &source);
            }
            Some(DesktopEvent::Lost(why)) => {
                warn!(why, "The desktop is gone");
                self.host.close(now, CloseReason::DesktopLost);
            }
            Some(DesktopEvent::Opened(_)) => {}
            None => self.host.close(now, CloseReason::DesktopLost),
        }
    }

    fn end(&mut self, closed: &Closed) {
        debug!(session_id = %self.offer.session_id, why = sentence(closed), "The session's connection is gone");
        self.host.handle_disconnected(self.clock.now());
    }
}

/// The logins when they have changed; never where there is but one.
async fn changed_logins(
    known: &mut Option<watch::Receiver<Vec<DesktopSession>>>,
) -> Vec<DesktopSession> {
    if let Some(receiver) = known
        && receiver.changed().await.is_ok()
    {
        return receiver.borrow_and_update().clone();
    }
    std::future::pending().await
}

/// An event of the picture as one of the desktop, of which the picture is a part.
fn on_the_desktop(event: InputEvent, corner: (u32, u32)) -> InputEvent {
    match event {
        InputEvent::PointerMove { x, y } => InputEvent::PointerMove {
            x: x.saturating_add(corner.0),
            y: y.saturating_add(corner.1),
        },
        other => other,
    }
}

/// What the person at the machine wants; never on a machine where nobody sits.
async fn next_command(attended: &mut Option<Attended<'_>>) -> Command {
    match attended {
        Some(attended) => attended.command().await,
        None => std::future::pending().await,
    }
}

/// Waits for a reason to stop.
async fn stopped(stop: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
    match stop.wait_for(Option::is_some).await.map(|reason| *reason) {
        Ok(Some(reason)) => reason,
        // Nobody is left to give a reason: the agent is going down.
        _ => CloseReason::AgentStopping,
    }
}

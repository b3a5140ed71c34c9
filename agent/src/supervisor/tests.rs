use gc_model::id::{MachineId, ParticipantId};
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use zeroize::Zeroizing;

use super::*;
use crate::address::ServerAddress;
use crate::config::{ApiKey, Identity, Stored};
use crate::looking::Looking;

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gives the test the worker's end of each pipe.
struct FakeLauncher {
    pipes: mpsc::UnboundedSender<DuplexStream>,
}

impl Launcher for FakeLauncher {
    fn showing(&self) -> Option<DesktopSession> {
        Some(DesktopSession(1))
    }

    fn sessions(&self) -> Vec<Login> {
        [(1, "ada"), (2, "bob")]
            .map(|(number, user)| Login {
                session: DesktopSession(number),
                user: user.to_owned(),
            })
            .into()
    }

    fn launch(&mut self, _session: DesktopSession) -> io::Result<Launched> {
        let (near, far) = duplex(64 * 1024);
        self.pipes.send(far).map_err(io::Error::other)?;
        let near: Box<dyn Stream> = Box::new(near);
        Ok(Launched {
            pipe: Box::pin(async move { Ok(near) }),
            process: Box::new(FakeProcess),
        })
    }
}

struct FakeProcess;

impl WorkerProcess for FakeProcess {
    fn end(&mut self, _grace: Duration) -> String {
        "exit code 1".to_owned()
    }
}

struct Story {
    supervisor: Supervisor,
    looking: watch::Receiver<Vec<Looking>>,
    pipes: mpsc::UnboundedReceiver<DuplexStream>,
    _switch: watch::Sender<u32>,
}

impl Story {
    fn begin() -> Self {
        let identity = Identity {
            server: ServerAddress::parse("https://a.example").expect("an address"),
            machine_id: MachineId::parse("m-1").expect("an id"),
            api_key: ApiKey::parse("cak_secret").expect("a key"),
            secret: Zeroizing::new([7; 32]),
            server_public_key: [9; 32],
        };
        let begin = Begin {
            identity: Stored::new(&identity),
            quality: None,
            film_codecs: None,
            hardware_films: false,
            ca_file: None,
            has_leftovers: false,
        };
        let (queue, pipes) = mpsc::unbounded_channel();
        let (switch, switched) = watch::channel(0);
        let launcher = Box::new(FakeLauncher { pipes: queue });
        let onlookers = Onlookers::default();
        Self {
            looking: onlookers.subscribe(),
            supervisor: Supervisor::start(launcher, begin, Clock::new(), switched, onlookers),
            pipes,
            _switch: switch,
        }
    }

    /// The next worker that is started, when it has said that it is ready.
    async fn worker(&mut self) -> DuplexStream {
        let mut pipe = in_time(self.pipes.recv())
            .await
            .expect("a worker is started");
        let Ok(ToWorker::Begin(begin)) = in_time(messages::read(&mut pipe)).await else {
            panic!("the worker is first told who this machine is");
        };
        assert_eq!(
            begin
                .identity
                .identity()
                .expect("an identity")
                .machine_id
                .to_string(),
            "m-1"
        );
        messages::write(&mut pipe, &FromWorker::Ready)
            .await
            .expect("says so");
        pipe
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

/// The next order other than a ping, which is answered.
async fn order(pipe: &mut DuplexStream) -> Order {
    loop {
        let message: ToWorker = in_time(messages::read(pipe)).await.expect("an order");
        if let ToWorker::Logins(_) = message {
            continue;
        }
        match message.order().expect("makes sense") {
            Order::Ping => {
                let alive = FromWorker::Alive { viewers: 1 };
                messages::write(pipe, &alive).await.expect("answers");
            }
            order => return order,
        }
    }
}

fn offer(session_id: &str) -> Offer {
    Offer {
        session_id: SessionId::parse(session_id).expect("an id"),
        participant_id: ParticipantId::parse("p1").expect("an id"),
        path: "/ws/agent/session?ticket=a".to_owned(),
    }
}

fn failed(session_id: &str) -> FromWorker {
    FromWorker::Failed {
        session_id: session_id.to_owned(),
        detail: "no desktop".to_owned(),
    }
}

#[tokio::test]
async fn a_worker_whose_pipe_breaks_is_replaced_for_the_next_viewer() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut first = story.worker().await;
    assert!(matches!(order(&mut first).await, Order::Offer(_)));

    drop(first);
    let mut second = story.worker().await;
    story.supervisor.offer(offer("s2"));

    let Order::Offer(heard) = order(&mut second).await else {
        panic!("the second worker gets the second viewer");
    };
    assert_eq!(heard.session_id.to_string(), "s2");
}

#[tokio::test]
async fn a_worker_that_talks_nonsense_is_replaced() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut first = story.worker().await;

    first.write_all(&[0xff; 64]).await.expect("writes");

    story.worker().await;
}

#[tokio::test]
async fn a_worker_speaks_only_of_sessions_that_it_was_offered_and_once_of_each() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut worker = story.worker().await;
    order(&mut worker).await;
    story.supervisor.offer(offer("s2"));
    order(&mut worker).await;

    for session_id in ["s9", "s1", "s1", "s2"] {
        messages::write(&mut worker, &failed(session_id))
            .await
            .expect("says so");
    }

    for expected in ["s1", "s2"] {
        let heard = in_time(story.supervisor.failed()).await;
        assert_eq!(heard.session_id.to_string(), expected);
    }
}

#[tokio::test]
async fn stopping_asks_the_worker_to_end_and_waits_for_it() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut worker = story.worker().await;
    order(&mut worker).await;

    let stopped = story.supervisor.close_all(CloseReason::AgentStopping);
    let asked = async {
        assert!(matches!(order(&mut worker).await, Order::End(_)));
        drop(worker);
    };

    in_time(async { tokio::join!(stopped, asked) }).await;
    // The control connection stops it, and so does the agent's end.
    in_time(story.supervisor.close_all(CloseReason::AgentStopping)).await;
}

#[tokio::test]
async fn closing_a_session_reaches_the_worker() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut worker = story.worker().await;
    order(&mut worker).await;

    let id = SessionId::parse("s1").expect("an id");
    story.supervisor.close(&id, CloseReason::EndedByServer);

    assert!(matches!(order(&mut worker).await, Order::Close(closed, _) if closed == id));
}

#[tokio::test]
async fn a_technician_chooses_a_desktop_session_that_there_is() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut first = story.worker().await;
    let logins = loop {
        if let ToWorker::Logins(logins) = in_time(messages::read(&mut first)).await.expect("heard")
        {
            break logins;
        }
    };
    let seen: Vec<_> = logins
        .iter()
        .map(|login| (login.session, login.is_console, &*login.user, login.shown))
        .collect();
    assert_eq!(seen, [(1, true, "ada", true), (2, false, "bob", false)]);

    for session in [9, 2] {
        messages::write(&mut first, &FromWorker::Show { session })
            .await
            .expect("says so");
    }
    // It ends for the other session, and says nothing to its viewers, so that they come back.
    let end = loop {
        match order(&mut first).await {
            Order::Offer(_) => {}
            other => break other,
        }
    };
    assert!(matches!(end, Order::End(CloseReason::DesktopChanged)));
    drop(first);

    let mut second = story.worker().await;
    let shown = loop {
        if let ToWorker::Logins(logins) = in_time(messages::read(&mut second)).await.expect("heard")
        {
            break logins.into_iter().find(|login| login.shown);
        }
    };
    assert_eq!(shown.map(|login| login.session), Some(2));
    // Who is signed out now is the person who is looked at.
    assert_eq!(story.supervisor.chosen_session(), Some(DesktopSession(2)));
}

#[tokio::test]
async fn nobody_is_said_to_look_after_the_worker_that_said_so_is_gone() {
    let mut story = Story::begin();
    story.supervisor.offer(offer("s1"));
    let mut worker = story.worker().await;
    let ada = Looking {
        technician: "Ada".to_owned(),
        since_unix: 1,
        can_control: true,
    };
    let everybody = FromWorker::Looking(vec![ada; 50]);
    messages::write(&mut worker, &everybody)
        .await
        .expect("says so");
    let said = in_time(story.looking.wait_for(|all| !all.is_empty())).await;
    assert_eq!(said.expect("is told").len(), MAX_SESSIONS);

    drop(worker);

    let gone = in_time(story.looking.wait_for(Vec::is_empty)).await;
    assert!(gone.is_ok());
}

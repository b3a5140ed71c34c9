//! Handing the support session over to this same program with administrator
//! rights. The two speak over a pipe whose other end is checked by its process;
//! nothing of the session stands on a command line or in a file.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gc_model::id::SessionId;
use gc_session::{Given, Rights};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::link::Questions;
use crate::config::Stored;
use crate::connection::Stream;
use crate::platform;
use crate::worker_messages as messages;

/// 20 s: the program has been started and only has to open a pipe.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of a support session that its server does not know.
#[derive(Serialize, Deserialize)]
pub(super) struct Handover {
    pub(super) identity: Stored,
    pub(super) technician: String,
    pub(super) company: String,
    pub(super) given: Option<GivenBefore>,
    pub(super) questions: Questions,
    pub(super) paused: bool,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) downloaded: bool,
    pub(super) answer_within: Duration,
}

/// [`Given`], and in which session.
#[derive(Serialize, Deserialize)]
pub(super) struct GivenBefore {
    session: String,
    technician: String,
    control: bool,
}

impl GivenBefore {
    pub(super) fn new(session: &SessionId, given: &Given) -> Self {
        Self {
            session: session.to_string(),
            technician: given.technician.clone(),
            control: given.rights.control,
        }
    }

    /// `None` when the other side named no session.
    pub(super) fn read(self) -> Option<(SessionId, Given)> {
        let given = Given {
            technician: self.technician,
            rights: Rights {
                control: self.control,
                ..Rights::VIEW
            },
        };
        Some((SessionId::parse(&self.session).ok()?, given))
    }
}

/// The successor has everything.
#[derive(Serialize, Deserialize)]
struct Taken;

/// Starts the successor, for which the system asks the user, and hands everything over. The
/// successor begins when what is returned is closed, at the latest by the end of this process.
pub(super) async fn give(handover: Handover) -> io::Result<Box<dyn Stream>> {
    let pipe = platform::start_successor().await?;
    patiently(hand_over(pipe, &handover)).await
}

async fn hand_over(mut pipe: Box<dyn Stream>, handover: &Handover) -> io::Result<Box<dyn Stream>> {
    messages::write(&mut pipe, handover).await?;
    let Taken = messages::read(&mut pipe).await?;
    Ok(pipe)
}

/// Takes everything over, and waits until the one before is gone.
pub(super) async fn take(pipe: &str) -> io::Result<Handover> {
    take_from(platform::open_worker_pipe(pipe)?).await
}

async fn take_from(mut pipe: Box<dyn Stream>) -> io::Result<Handover> {
    let handover = patiently(messages::read(&mut pipe)).await?;
    messages::write(&mut pipe, &Taken).await?;
    // It never says anything more. How the pipe ends does not matter.
    let _gone = patiently(pipe.read(&mut [0])).await;
    Ok(handover)
}

async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| Err(io::ErrorKind::TimedOut.into());
    timeout(PATIENCE, work).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::ServerAddress;
    use crate::config::{ApiKey, Identity};
    use gc_model::id::MachineId;

    fn handover() -> Handover {
        let key = format!("cak_{}", "a".repeat(43));
        let identity = Identity {
            server: ServerAddress::parse("https://support.example.com").expect("an address"),
            machine_id: MachineId::parse("m1").expect("an id"),
            api_key: ApiKey::parse(&key).expect("a key"),
            secret: zeroize::Zeroizing::new([7; 32]),
            server_public_key: [9; 32],
        };
        let given = Given {
            technician: "Ada".to_owned(),
            rights: Rights::CONTROL,
        };
        Handover {
            identity: Stored::new(&identity),
            technician: "Ada".to_owned(),
            company: "Example".to_owned(),
            given: Some(GivenBefore::new(
                &SessionId::parse("s1").expect("an id"),
                &given,
            )),
            questions: Questions::default(),
            paused: true,
            ca_file: None,
            downloaded: true,
            answer_within: Duration::from_mins(1),
        }
    }

    #[tokio::test]
    async fn the_successor_begins_with_everything_when_the_one_before_is_gone() {
        let (near, far) = tokio::io::duplex(64);
        let taking = tokio::spawn(take_from(Box::new(far)));

        let pipe = hand_over(Box::new(near), &handover()).await.expect("taken");
        tokio::task::yield_now().await;
        assert!(!taking.is_finished(), "two programs would have two windows");
        drop(pipe);

        let taken = taking.await.expect("no panic").expect("everything");
        let identity = taken.identity.identity().expect("makes sense");
        assert_eq!(identity.machine_id.to_string(), "m1");
        let (session, given) = taken.given.and_then(GivenBefore::read).expect("a session");
        assert_eq!(session.to_string(), "s1");
        assert_eq!(given.rights, Rights::CONTROL);
        assert!(taken.paused, "a pause ends at the window only");
    }

    #[tokio::test]
    async fn a_successor_that_goes_away_takes_nothing() {
        let (near, far) = tokio::io::duplex(64);
        drop(far);

        assert!(hand_over(Box::new(near), &handover()).await.is_err());
    }

    #[tokio::test]
    async fn nonsense_is_not_taken_over() {
        for message in [&b"\x02\0\0\0{}"[..], &[0xff; 8]] {
            assert!(
                take_from(Box::new(std::io::Cursor::new(message.to_vec())))
                    .await
                    .is_err()
            );
        }
    }
}

//! What the relay lets pass, and what it does when somebody does not read.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{AgentEnd, Person, TestAgent, TestServer, Viewer, soon, text};
use crate::sessions::{INPUT, PICTURE};

/// Starts a session and connects both ends.
async fn joined(ada: &Person, agent: &mut TestAgent) -> (Viewer, AgentEnd) {
    let viewer = Viewer::connect(&ada.start(&agent.machine).await).await;
    let end = agent.join().await;
    (viewer, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_what_must_not_pass_is_disconnected_and_the_other_is_told() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let bad = [
        Message::text("[1,4,0,0]"),
        Message::binary(vec![]),
        Message::binary(vec![1, 4, 0]),
        Message::binary(vec![2, 4, 0, 0]),
        Message::binary(vec![1, 5, 0, 0]),
        Message::binary(vec![1; 4 * 1024 * 1024 + 1]),
    ];

    for message in bad {
        let size = message.len();
        let (mut viewer, mut end) = joined(&ada, &mut agent).await;
        // The relay may hang up before it has taken all of a large one.
        let _ = end.socket.send(message.clone()).await;
        assert!(
            matches!(end.close_code().await, 4005 | 1006),
            "agent, {size} bytes"
        );
        assert_eq!(viewer.close_code().await, 4001, "agent, {size} bytes");

        let (mut viewer, mut end) = joined(&ada, &mut agent).await;
        let _ = viewer.socket.send(message).await;
        assert!(
            matches!(viewer.close_code().await, 4005 | 1006),
            "viewer, {size} bytes"
        );
        assert_eq!(end.close_code().await, 4001, "viewer, {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_passes_whole() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let (mut viewer, mut end) = joined(&ada, &mut agent).await;
    let mut largest: Vec<u8> = (0..4 * 1024 * 1024).map(|n| (n % 251) as u8).collect();
    largest[..4].copy_from_slice(&[1, 4, 0, 0]);

    let sending = async { end.send(&largest).await };
    let (received, ()) = tokio::join!(viewer.receive(), sending);

    assert!(received == largest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_does_not_read_makes_its_agent_wait_and_nobody_else() {
    /// More than every socket buffer between the two together.
    const ALL: u32 = 4_096;
    const MESSAGE_BYTES: usize = 64 * 1024;
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let (mut viewer, end) = joined(&ada, &mut agent).await;
    let (mut out, _answers) = end.socket.split();

    let (progress, mut sent) = tokio::sync::watch::channel(0_u32);
    let sending = tokio::spawn(async move {
        for n in 0..ALL {
            let mut message = vec![0; MESSAGE_BYTES];
            message[..4].copy_from_slice(&[1, 4, 0, 0]);
            message[4..8].copy_from_slice(&n.to_be_bytes());
            out.send(Message::binary(message))
                .await
                .expect("it is sent in the end");
            progress.send_replace(n + 1);
        }
        out
    });
    // Nothing goes any more: it stopped at what the sockets hold.
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(1), sent.changed()).await {}
    let stalled_at = *sent.borrow();
    assert!(stalled_at < ALL, "nobody waited");
    let metrics = server.metrics().await;
    let relayed = relayed_bytes(&metrics, "to_viewer");
    assert!(
        relayed < 16 * 1024 * 1024,
        "{relayed} bytes were taken for a viewer that reads none"
    );

    // Another session does not notice.
    let (mut other_viewer, mut other_end) = joined(&ada, &mut agent).await;
    for _ in 0..100 {
        other_end.send(PICTURE).await;
        assert_eq!(other_viewer.receive().await, PICTURE);
        other_viewer.send(INPUT).await;
        assert_eq!(other_end.receive().await, INPUT);
    }

    // Reading again, the viewer finds everything, in order.
    for n in 0..ALL {
        let message = viewer.receive().await;
        assert_eq!(
            (message.len(), &message[4..8]),
            (MESSAGE_BYTES, &n.to_be_bytes()[..])
        );
    }
    drop(soon(sending).await.expect("everything was sent"));
}

fn relayed_bytes(metrics: &str, direction: &str) -> u64 {
    let name = format!("guruconnect_relayed_bytes_total{{direction=\"{direction}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |number| number.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_say_what_goes_on() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let (mut viewer, mut end) = joined(&ada, &mut agent).await;
    end.send(PICTURE).await;
    viewer.receive().await;
    server.login("ada", "wrong password").await;

    let metrics = server.metrics().await;

    for line in [
        "guruconnect_machines_online 1",
        "guruconnect_sessions_live 1",
        "guruconnect_sessions_started_total 1",
        "guruconnect_login_failures_total 1",
        "guruconnect_websocket_connections{kind=\"agent\"} 1",
        "guruconnect_websocket_connections{kind=\"viewer\"} 1",
        "guruconnect_websocket_connections{kind=\"agent_session\"} 1",
        "guruconnect_relayed_bytes_total{direction=\"to_viewer\"} 6",
        "guruconnect_relayed_messages_total{direction=\"to_viewer\"} 1",
        "guruconnect_http_requests_total{method=\"POST\",route=\"/api/sessions/start\",status=\"200\"} 1",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in\n{metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_tells_viewers_and_agents_to_come_back() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let (mut viewer, mut end) = joined(&ada, &mut agent).await;

    let (viewer, end, control, ()) = tokio::join!(
        viewer.close_code(),
        end.close_code(),
        agent.close_code(),
        soon(server.stop()),
    );

    assert_eq!((viewer, end, control), (1001, 1001, 1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_is_gone_without_a_word_is_noticed() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let (viewer, mut end) = joined(&ada, &mut agent).await;
    let session = ada.get("/api/sessions").await.body["items"][0]["id"].clone();

    // Nobody polls this socket any more, so that no ping is answered; the
    // agent's end answers its own while it waits.
    let silent = viewer;
    let told = tokio::time::timeout(Duration::from_mins(1), async {
        loop {
            match end.socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    });

    assert_eq!(told.await.expect("it is noticed"), Some(4001_u16));
    // So was the agent's control connection, which nobody polled either.
    agent.reconnect().await;
    assert_eq!(
        ada.rejoin(&text(&session)).await.body["session_id"],
        session
    );
    drop(silent);
}

//! The listener: from TCP through TLS and HTTP to the router, and the way down again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::http::client::Peer;

/// Connections at once. Each agent needs one, each session two.
const MAX_CONNECTIONS: usize = 50_000;

/// How long a client may take to send a request's head, and to finish the
/// handshake of TLS.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;

/// Bytes that a socket takes before it has sent them: enough to keep a fast link
/// busy, little enough that a slow viewer makes its agent wait, not the relay
/// hoard. The rest of the send buffer holds what is on its way.
const UNSENT_BYTES: u32 = 128 * 1024;

/// Pause after the system refused a connection, usually for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts until `stopping`, then lets the requests that are under way finish.
/// Connections that were upgraded to WebSockets are not waited for here.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopping: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("Too many connections: one was refused");
            continue;
        };
        prepare(&stream);
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let peer = Peer {
                address,
                tls: tls.is_some(),
            };
            match tls {
                Some(tls) => {
                    let handshake = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        talk(stream, peer, router, watcher).await;
                    }
                }
                None => talk(stream, peer, router, watcher).await,
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The address that was bound, with the port that the system chose.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address}"))?;
    let address = listener
        .local_addr()
        .context("ask for the address that was bound")?;
    Ok((listener, address))
}

/// Small messages go at once, and a slow reader is felt early. A system that
/// refuses either setting still works.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT was refused");
    }
}

async fn talk<S>(stream: S, peer: Peer, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answered = router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answered.await;
            response.map_err(|never: Infallible| never)
        }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS);
    let connection = server
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(address = %peer.address, %error, "A connection ended early");
    }
}

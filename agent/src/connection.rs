//! TCP and TLS connections to the server.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::address::ServerAddress;
use crate::{platform, tls};

/// One of a server's addresses gets this long to answer; then the next is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 6;

/// Time for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The way to one server.
#[derive(Clone)]
pub(crate) struct Connector {
    server: Arc<ServerAddress>,
    /// Absent for a server on this machine that speaks plain text.
    tls: Option<TlsConnector>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the name {0} has no address")]
    NoAddress(String),
    #[error("cannot look up {0}")]
    Lookup(String, #[source] io::Error),
    #[error("no TCP connection")]
    Tcp(#[source] io::Error),
    #[error("no TLS connection")]
    Tls(#[source] io::Error),
}

impl Connector {
    /// `ca_file` names more certificate authorities to trust.
    pub(crate) fn new(server: ServerAddress, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let tls = if server.is_encrypted() {
            Some(tls::connector(ca_file)?)
        } else {
            None
        };
        Ok(Self {
            server: Arc::new(server),
            tls,
        })
    }

    pub(crate) fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Connects; small messages leave at once.
    pub(crate) async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let tcp = self.connect_tcp().await?;
        tcp.set_nodelay(true).map_err(ConnectError::Tcp)?;
        platform::bound_unsent(&tcp);
        let Some(connector) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let name = ServerName::try_from(self.server.host().to_owned())
            .map_err(|_| ConnectError::NoAddress(self.server.host().to_owned()))?;
        let tls = in_time(HANDSHAKE_TIMEOUT, connector.connect(name, tcp))
            .await
            .map_err(ConnectError::Tls)?;
        Ok(Box::new(tls))
    }

    async fn connect_tcp(&self) -> Result<TcpStream, ConnectError> {
        let host = self.server.host();
        let addresses = in_time(CONNECT_TIMEOUT, lookup_host((host, self.server.port())))
            .await
            .map_err(|error| ConnectError::Lookup(host.to_owned(), error))?;
        let mut last = ConnectError::NoAddress(host.to_owned());
        for address in addresses.take(MAX_ADDRESSES) {
            match in_time(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = ConnectError::Tcp(error),
            }
        }
        Err(last)
    }
}

async fn in_time<T>(limit: Duration, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, future)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")))
}

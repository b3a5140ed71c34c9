//! Numbers for Prometheus. They belong to one server value, not to the process,
//! so that tests can run several.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds; from an answer out of memory to one that waited for a password hash.
const DURATION_BUCKETS: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

/// All numbers of this server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Histogram,
    sockets: Family<Kind, Gauge>,
    machines_online: Gauge,
    sessions_live: Gauge,
    sessions_started: Counter,
    relayed_bytes: Family<Direction, Counter<u64, AtomicU64>>,
    relayed_messages: Family<Direction, Counter<u64, AtomicU64>>,
    login_failures: Counter,
    support_codes_made: Counter,
    support_codes_wrong: Counter,
    support_work: Counter,
    refusals: Family<Kind, Counter>,
    notices: Family<Kind, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("guruconnect");
        let metrics = Self {
            requests: Family::default(),
            durations: Histogram::new(DURATION_BUCKETS),
            sockets: Family::default(),
            machines_online: Gauge::default(),
            sessions_live: Gauge::default(),
            sessions_started: Counter::default(),
            relayed_bytes: Family::default(),
            relayed_messages: Family::default(),
            login_failures: Counter::default(),
            support_codes_made: Counter::default(),
            support_codes_wrong: Counter::default(),
            support_work: Counter::default(),
            refusals: Family::default(),
            notices: Family::default(),
            registry: Registry::default(),
        };
        let m = &metrics;
        registry.register(
            "http_requests",
            "HTTP requests by route",
            m.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from request to answer",
            m.durations.clone(),
        );
        registry.register(
            "websocket_connections",
            "Open WebSockets by kind",
            m.sockets.clone(),
        );
        registry.register(
            "machines_online",
            "Machines whose agent is connected",
            m.machines_online.clone(),
        );
        registry.register(
            "sessions_live",
            "Sessions with viewer and agent connected",
            m.sessions_live.clone(),
        );
        registry.register(
            "sessions_started",
            "Sessions started",
            m.sessions_started.clone(),
        );
        registry.register("relayed_bytes", "Bytes relayed", m.relayed_bytes.clone());
        registry.register(
            "relayed_messages",
            "Messages relayed",
            m.relayed_messages.clone(),
        );
        registry.register(
            "login_failures",
            "Wrong names or passwords",
            m.login_failures.clone(),
        );
        registry.register(
            "support_codes_made",
            "Support codes made",
            m.support_codes_made.clone(),
        );
        registry.register(
            "support_codes_wrong",
            "Support codes that were tried and are not active",
            m.support_codes_wrong.clone(),
        );
        registry.register(
            "support_work_asked",
            "Tries of a support code that were asked for work first",
            m.support_work.clone(),
        );
        registry.register(
            "limiter_refusals",
            "Requests refused by a limit",
            m.refusals.clone(),
        );
        registry.register(
            "notices",
            "Tries to tell somebody by mail or webhook, by what came of them",
            m.notices.clone(),
        );
        Self {
            registry,
            ..metrics
        }
    }

    pub(crate) fn http_request(
        &self,
        method: &Method,
        route: String,
        status: StatusCode,
        took: Duration,
    ) {
        // A method may be any word of the client's choice.
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS") => known,
            _ => "other",
        };
        let labels = Request {
            method: method.to_owned(),
            route,
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Counts an open WebSocket until the guard goes.
    pub(crate) fn socket(&self, kind: &'static str) -> SocketGuard {
        let gauge = self.sockets.get_or_create_owned(&Kind { kind });
        gauge.inc();
        SocketGuard(gauge)
    }

    pub(crate) fn session_started(&self) {
        self.sessions_started.inc();
    }

    pub(crate) fn relayed(&self, direction: &'static str) -> Relayed {
        let labels = Direction { direction };
        Relayed {
            bytes: self.relayed_bytes.get_or_create_owned(&labels),
            messages: self.relayed_messages.get_or_create_owned(&labels),
        }
    }

    pub(crate) fn login_failed(&self) {
        self.login_failures.inc();
    }

    pub(crate) fn support_code_made(&self) {
        self.support_codes_made.inc();
    }

    pub(crate) fn support_code_wrong(&self) {
        self.support_codes_wrong.inc();
    }

    pub(crate) fn support_work_asked(&self) {
        self.support_work.inc();
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        self.refusals.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn notices(&self, kind: &'static str, count: usize) {
        self.notices
            .get_or_create(&Kind { kind })
            .inc_by(count as u64);
    }

    /// All of them as Prometheus reads them.
    pub(crate) fn render(&self, machines_online: usize, sessions_live: usize) -> String {
        self.machines_online.set(machines_online as i64);
        self.sessions_live.set(sessions_live as i64);
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a String takes every write");
        out
    }
}

/// An open WebSocket in the numbers.
#[derive(Debug)]
pub(crate) struct SocketGuard(Gauge);

impl Drop for SocketGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The counters of one direction, held by the task that carries it.
#[derive(Debug, Clone)]
pub(crate) struct Relayed {
    bytes: Counter<u64, AtomicU64>,
    messages: Counter<u64, AtomicU64>,
}

impl Relayed {
    pub(crate) fn record(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
        self.messages.inc();
    }
}

//! Headers that every answer carries.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::client::Client;
use crate::app::Shared;
use crate::settings::Settings;

const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
    gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), \
    clipboard-read=(self), clipboard-write=(self), fullscreen=(self)";

/// Two years, as the preload lists ask for.
const STRICT_TRANSPORT: &str = "max-age=63072000; includeSubDomains";

/// The headers, worked out once from the settings.
#[derive(Debug)]
pub(crate) struct SecurityHeaders {
    always: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    pub(crate) fn new(settings: &Settings) -> Self {
        let policy = content_policy(settings);
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let always = vec![
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_str(&policy).expect("origins are ASCII"),
            ),
            fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            fixed(header::X_FRAME_OPTIONS, "DENY"),
            fixed(header::REFERRER_POLICY, "no-referrer"),
            fixed(
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
            fixed(
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
            fixed(HeaderName::from_static("permissions-policy"), PERMISSIONS),
        ];
        Self { always }
    }
}

/// Scripts only from here, WebAssembly for the viewer's core, workers from here
/// and from blobs; styles inline because the component library writes them.
fn content_policy(settings: &Settings) -> String {
    let public = settings.public_url.as_ref().map(|url| {
        let origin = url.origin().ascii_serialization();
        let socket = origin.replacen("http", "ws", 1);
        format!(" {origin} {socket}")
    });
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' \
         'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'{}; \
         worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
        public.unwrap_or_default()
    )
}

/// Middleware: adds the headers to whatever was answered.
pub(crate) async fn secure(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let secure = request
        .extensions()
        .get::<Client>()
        .is_some_and(|client| client.secure);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in &app.security_headers.always {
        headers.insert(name.clone(), value.clone());
    }
    if secure {
        let value = HeaderValue::from_static(STRICT_TRANSPORT);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    // What was not said to be cacheable is for this one request.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

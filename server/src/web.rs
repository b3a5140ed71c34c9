//! The dashboard's files, carried inside this program.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::percent_decode_str;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::chance::hex;
use crate::http::error::ApiError;
use crate::http::observe::nothing_here;

#[derive(RustEmbed)]
#[folder = "../dashboard/apps/dashboard/dist"]
struct Files;

/// Files that are smaller gain nothing by compression.
const MIN_COMPRESSED_BYTES: usize = 1_024;

/// Compressed files: a handful, made once. Keyed by their hash, so that a file
/// that changes while this program runs (debug builds) is made anew.
static COMPRESSED: LazyLock<Mutex<HashMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

/// Everything that is not below `/api` or `/ws`: a file, or the page that finds
/// its own way.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let path = path.trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default().to_lowercase();
    if matches!(first.as_str(), "api" | "ws") {
        return nothing_here().await.into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This can only be read.",
        )
        .into_response();
    }
    match Files::get(path) {
        Some(file) if path != "index.html" => answer(path, file, &headers),
        // A missing asset is missing; any other path is a page of the dashboard.
        None if path.starts_with("assets/") => nothing_here().await.into_response(),
        _ => match Files::get("index.html") {
            Some(file) => answer("index.html", file, &headers),
            None => nothing_here().await.into_response(),
        },
    }
}

fn answer(path: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let content_type = content_type(path);
    let cache = if path.starts_with("assets/") {
        // Their names change with their content.
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let tag = format!("\"{}\"", hex(&hash[..16]));
    let tag = HeaderValue::try_from(tag).expect("hexadecimal");
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::ETAG, tag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if asked.get(header::IF_NONE_MATCH) == Some(&tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, content_type);
    let data = match file.data {
        std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => Bytes::from(data),
    };
    let body = if data.len() >= MIN_COMPRESSED_BYTES && compresses(path) && takes_gzip(asked) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        compressed(hash, &data)
    } else {
        data
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}

fn content_type(path: &str) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = match guess.type_() {
        mime_guess::mime::TEXT => format!("{guess}; charset=utf-8"),
        _ => guess.to_string(),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Pictures and fonts are compressed as they are.
fn compresses(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    matches!(
        extension,
        "html" | "js" | "mjs" | "css" | "wasm" | "json" | "svg" | "txt" | "map"
    )
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim() == "gzip" && weight.replace(' ', "") != "q=0"
        })
}

fn compressed(hash: [u8; 32], data: &Bytes) -> Bytes {
    let mut known = COMPRESSED.lock().expect("no code here panics");
    known
        .entry(hash)
        .or_insert_with(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(data).expect("memory takes every write");
            encoder.finish().expect("memory takes every write").into()
        })
        .clone()
}

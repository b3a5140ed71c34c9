//! `GET /support/{code}/download/{system}`: the program, told which server it
//! belongs to, under a name that carries the code.

use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_installer::slot::{self, SlotConfig};

use super::pages::file_name;
use super::{LinkQuery, frame, page, refused};
use crate::app::{App, Shared};
use crate::http::bodies::{Path, Query};
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::limits::Limited;
use crate::http::observe::nothing_here;
use crate::http::origin;
use crate::support::{Program, Shown};

/// Largest program that is handed out, in bytes.
const MAX_PROGRAM_BYTES: u64 = 64 * 1024 * 1024;

/// Programs that are kept as they were made, of all systems. Without `PUBLIC_URL`
/// each address that customers ask for needs one of its own.
const MAX_MADE: usize = 4;

/// Longest name of the company in the slot, in bytes.
const MAX_BRAND_BYTES: usize = 128;

/// A program that was made, for the next customer.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    system: Program,
    server: String,
    file: (u64, SystemTime),
    bytes: Bytes,
}

pub(super) async fn download(
    State(app): State<Shared>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    Path((digits, system)): Path<(String, String)>,
    Query(query): Query<LinkQuery>,
) -> Response {
    let Some(program) = Program::ALL
        .into_iter()
        .find(|program| program.as_str() == system)
    else {
        return nothing_here().await.into_response();
    };
    if let Err(error) = app.limit(Limited::Download, client) {
        return error.into_response();
    }
    let shown = Shown {
        code: &digits,
        link_token: query.k.as_deref(),
        work: None,
    };
    let code = match app.linked_code(&digits, query.k.as_deref()).await {
        Ok(Some(code)) => code,
        Ok(None) => match app.open_code(client, &shown).await {
            Ok(code) => code,
            Err(error) => return refused(&app, &headers, &digits, error),
        },
        Err(error) => return ApiError::from(error).into_response(),
    };
    let Some(server) = origin::http_base(&app.settings, client, &headers, &uri) else {
        return ApiError::invalid("The request names no host.").into_response();
    };
    let bytes = match make(&app, program, server).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!("A program for customers could not be made: {error:#}");
            let words = frame(&app, &headers);
            return page(StatusCode::SERVICE_UNAVAILABLE, words.no_program());
        }
    };
    if let Err(error) = app
        .store
        .note_support_download(&code.id, app.clock.now())
        .await
    {
        return ApiError::from(error).into_response();
    }
    app.hub.events.support_changed(code.id.clone());
    let name = file_name(code.digits(), program);
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition).expect("digits and ASCII"),
        ),
    ];
    (headers, bytes).into_response()
}

/// The program for one system, with this server in its slot.
async fn make(app: &App, system: Program, server: String) -> anyhow::Result<Bytes> {
    use anyhow::Context as _;

    let path = app.support.agents_dir.join(system.file_name());
    let about = || format!("read {}", path.display());
    let metadata = tokio::fs::metadata(&path).await.with_context(about)?;
    anyhow::ensure!(
        metadata.len() <= MAX_PROGRAM_BYTES,
        "{} has more than {MAX_PROGRAM_BYTES} bytes",
        path.display()
    );
    let file = (metadata.len(), metadata.modified().with_context(about)?);
    // One at a time, so that made-up addresses cost no more than one file in memory.
    let _one = app.support.making.lock().await;
    if let Some(bytes) = app.support.made(system, &server, file) {
        return Ok(bytes);
    }
    let mut bytes = tokio::fs::read(&path).await.with_context(about)?;
    let config = SlotConfig {
        server: server.clone(),
        server_public_key: BASE64.encode(app.keys.public_key()),
        brand: Some(brand(&app.settings.support.company).to_owned()),
    };
    slot::write(&mut bytes, &config, app.keys.signer())
        .with_context(|| format!("fill the slot of {}", path.display()))?;
    let bytes = Bytes::from(bytes);
    app.support.keep(Made {
        system,
        server,
        file,
        bytes: bytes.clone(),
    });
    Ok(bytes)
}

/// The company's name, as far as the slot takes it.
fn brand(company: &str) -> &str {
    &company[..company.floor_char_boundary(MAX_BRAND_BYTES)]
}

impl crate::support::Support {
    fn made(&self, system: Program, server: &str, file: (u64, SystemTime)) -> Option<Bytes> {
        let mut made = self.made.lock().expect("no code here panics");
        let at = made
            .iter()
            .position(|made| made.system == system && made.server == server && made.file == file)?;
        // The one that was asked for last stays longest.
        let found = made.remove(at);
        let bytes = found.bytes.clone();
        made.push(found);
        Some(bytes)
    }

    fn keep(&self, new: Made) {
        let mut made = self.made.lock().expect("no code here panics");
        made.retain(|old| old.system != new.system || old.file == new.file);
        if made.len() >= MAX_MADE {
            made.remove(0);
        }
        made.push(new);
    }
}

//! `GET /api/audit/export`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gc_model::role::Permission;
use gc_store::{Action, AuditFilter, AuditRecord, NewAuditEntry, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AuditBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Query;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Entries that are read from the database at a time.
const CHUNK: u64 = 1_000;

const COLUMNS: &str = "id,at,action,actor_kind,actor_id,actor_name,machine_id,machine_name,\
    session_id,address,detail\r\n";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `csv` or `json`.
    #[param(inline)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Csv,
    Json,
}

/// The whole audit log, newest first, as a file.
#[utoipa::path(get, path = "/api/audit/export", tag = "audit", security(("access_token" = [])),
    params(ExportQuery),
    responses(
        (status = 200, description = "CSV with a line of column names, or a JSON array", content(
            (String = "text/csv"), (Vec<AuditBody> = "application/json"))),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(crate) async fn export_audit(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    current.require(Permission::ReadAudit)?;
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::AuditExported,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "format": query.format }),
    };
    app.store.append_audit(entry).await?;

    let (content_type, name) = match query.format {
        Format::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"audit.csv\"",
        ),
        Format::Json => ("application/json", "attachment; filename=\"audit.json\""),
    };
    let export = Export {
        app,
        format: query.format,
        next: Next::Start,
    };
    let body = Body::from_stream(stream::try_unfold(export, Export::next));
    Ok((
        [
            (header::CONTENT_TYPE, content_type),
            (header::CONTENT_DISPOSITION, name),
        ],
        body,
    )
        .into_response())
}

/// Reads the log piece by piece, so that no size of it matters.
struct Export {
    app: Shared,
    format: Format,
    next: Next,
}

#[derive(Clone, Copy)]
enum Next {
    Start,
    Below { id: i64 },
    End,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let before = match self.next {
            Next::Start => None,
            Next::Below { id } => Some(id),
            Next::End => return Ok(None),
        };
        let records = self
            .app
            .store
            .audit_page(&AuditFilter::default(), before, CHUNK)
            .await?;
        let last = records.last().map(|record| record.id);
        let full = records.len() as u64 == CHUNK;
        let is_first = matches!(self.next, Next::Start);
        self.next = match last {
            Some(id) if full => Next::Below { id },
            _ => Next::End,
        };
        let text = match self.format {
            Format::Csv => csv(is_first, records),
            Format::Json => json(is_first, !full, records),
        };
        Ok(Some((text.into(), self)))
    }
}

fn csv(is_first: bool, records: Vec<AuditRecord>) -> String {
    let mut text = if is_first {
        COLUMNS.to_owned()
    } else {
        String::new()
    };
    for record in records {
        let cells = [
            Some(record.id.to_string()),
            Some(
                record
                    .at
                    .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            ),
            Some(record.action),
            Some(record.actor_kind),
            record.actor_id,
            record.actor_name,
            record.machine_id,
            record.machine_name,
            record.session_id,
            record.address,
            Some(record.detail.to_string()),
        ];
        let cells: Vec<String> = cells
            .into_iter()
            .map(|cell| quoted(&cell.unwrap_or_default()))
            .collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell in quotes. Names come from machines: one that begins like a formula
/// must not become one in a spreadsheet.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn json(is_first: bool, is_last: bool, records: Vec<AuditRecord>) -> String {
    let items: Vec<String> = records
        .into_iter()
        .map(AuditBody::from)
        .map(|body| serde_json::to_string(&body).expect("bodies are plain data"))
        .collect();
    let open = match (is_first, items.is_empty()) {
        (true, _) => "[",
        (false, true) => "",
        (false, false) => ",",
    };
    let close = if is_last { "]" } else { "" };
    format!("{open}{}{close}", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_never_formulas() {
        let table = [
            ("plain", "\"plain\""),
            ("say \"hi\", all", "\"say \"\"hi\"\", all\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("", "\"\""),
        ];
        for (cell, expected) in table {
            assert_eq!(quoted(cell), expected);
        }
    }
}

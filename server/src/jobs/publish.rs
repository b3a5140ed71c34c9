//! Turns what changed into what dashboards show.

use std::sync::Arc;
use std::time::Duration;

use gc_model::machine::MachineKind;
use gc_store::{StoreError, SupportCodeRow};
use serde::Serialize;

use crate::api::machines::MachineBody;
use crate::api::sessions::SessionBody;
use crate::api::support_codes::{SupportCodeBody, public_base};
use crate::app::{App, Shared};
use crate::hub::events::{Change, Event};

/// Pause between rounds: thousands of agents that come back at once make a few
/// lookups each, not one for every step.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn run(app: Shared) {
    loop {
        for change in app.hub.events.take_changes().await {
            match event(&app, change).await {
                Ok(Some(event)) => app.hub.events.send(event),
                Ok(None) => {}
                Err(error) => tracing::error!("A change could not be published: {error:#}"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn event(app: &App, change: Change) -> Result<Option<Event>, StoreError> {
    Ok(match change {
        Change::Machine(id) => match app.store.machine(&id).await? {
            Some(machine) if machine.kind == MachineKind::Guest => {
                // In no list: its support code has it.
                match app.store.support_code_of(&id).await? {
                    Some(code) => Some(support(app, code).await?),
                    None => None,
                }
            }
            Some(machine) => {
                let presence = app.hub.presence(&id);
                let body = MachineBody::new(machine, &presence, app.clock.now());
                Some(data("machine", &body))
            }
            None => Some(data(
                "machine_removed",
                &serde_json::json!({ "id": id.as_str() }),
            )),
        },
        Change::Session(id) => {
            let session = app.store.session(&id).await?;
            session.map(|session| data("session", &SessionBody::from(session)))
        }
        Change::Support(id) => match app.store.support_code(&id).await? {
            Some(code) => Some(support(app, code).await?),
            None => None,
        },
    })
}

async fn support(app: &App, code: SupportCodeRow) -> Result<Event, StoreError> {
    let base = public_base(app);
    let body = SupportCodeBody::new(app, code, base.as_deref()).await?;
    Ok(data("support_code", &body))
}

fn data(name: &'static str, body: &impl Serialize) -> Event {
    let json: String = serde_json::to_string(body).expect("bodies are plain data");
    Event::Data {
        name,
        json: Arc::from(json),
    }
}

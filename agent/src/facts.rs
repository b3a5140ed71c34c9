//! The machine's facts in the forms that the server takes.

use gc_platform::Facts;
use gc_proto::limits::MAX_TEXT_BYTES;
use gc_proto::v1;

/// For the control connection.
pub(crate) fn to_wire(facts: Facts) -> v1::MachineFacts {
    v1::MachineFacts {
        host_name: clipped(facts.host_name),
        os_family: facts.os_family.to_owned(),
        os_name: clipped(facts.os_name),
        os_version: clipped(facts.os_version),
        architecture: facts.architecture.to_owned(),
        current_user: clipped(facts.current_user),
        boot_time_unix: facts.boot_time_unix,
    }
}

/// For enrolment.
pub(crate) fn to_json(facts: Facts) -> serde_json::Value {
    let facts = to_wire(facts);
    serde_json::json!({
        "host_name": facts.host_name,
        "os_family": facts.os_family,
        "os_name": facts.os_name,
        "os_version": facts.os_version,
        "architecture": facts.architecture,
        "current_user": facts.current_user,
        "boot_time_unix": facts.boot_time_unix,
    })
}

/// Cut to what the server accepts, at a character's end.
fn clipped(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

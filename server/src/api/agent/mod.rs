//! What agents call.

pub(super) mod enrol;
pub(super) mod show_self;

use gc_model::machine::{MachineFacts, OsFamily};

/// Facts from the wire, cleaned.
pub(crate) fn facts_of(facts: gc_proto::v1::MachineFacts) -> MachineFacts {
    MachineFacts {
        os_family: OsFamily::from_name(&facts.os_family),
        host_name: facts.host_name,
        os_name: facts.os_name,
        os_version: facts.os_version,
        architecture: facts.architecture,
        current_user: facts.current_user,
        boot_time_unix: facts.boot_time_unix,
    }
    .cleaned()
}

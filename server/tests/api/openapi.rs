//! The committed description of the API is the API's.

use std::path::Path;

#[test]
fn the_committed_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/admin/v1/openapi.json");
    let document = format!("{}\n", guruconnect_server::openapi_json());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &document).expect("write the document");
    }

    let committed = std::fs::read_to_string(&path).expect("read the committed document");

    assert!(
        committed == document,
        "contracts/admin/v1/openapi.json is stale: run UPDATE_GOLDEN=1 cargo test -p guruconnect-server openapi"
    );
}

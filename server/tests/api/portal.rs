//! The customers' pages.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use object::write::{Object, StandardSegment};
use object::{
    Architecture, BinaryFormat, Endianness, Object as _, ObjectSection as _, SectionKind,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Person, TestAgent, TestServer, answer, text};

/// A program with an empty slot, like the agent.
fn program() -> Vec<u8> {
    let mut file = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let segment = file.segment_name(StandardSegment::Data).to_vec();
    let section = file.add_section(segment, b".gccfg".to_vec(), SectionKind::Data);
    let mut slot = vec![0; 4096];
    slot[..16].copy_from_slice(b"GURUCONNECT-CFG1");
    file.set_section_data(section, slot, 16);
    // A decoy: the magic elsewhere is no slot.
    let segment = file.segment_name(StandardSegment::Data).to_vec();
    let decoy = file.add_section(segment, b".data".to_vec(), SectionKind::Data);
    file.set_section_data(decoy, b"GURUCONNECT-CFG1".repeat(8), 16);
    file.write().expect("a program")
}

async fn server_with_programs(folder: &Path, arguments: &[&str]) -> (TestServer, Person) {
    std::fs::write(folder.join("guruconnect-agent"), program()).expect("a program");
    let folder = folder.display().to_string();
    let own = ["--agents-dir", &folder];
    let all: Vec<_> = own.iter().chain(arguments).copied().collect();
    TestServer::claimed(&all).await
}

async fn code(person: &Person, request: Value) -> Value {
    let made = person.post("/api/support-codes", request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body
}

async fn page(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

async fn type_code(server: &TestServer, digits: &str) -> Answer {
    let post = server.request(Method::POST, "/support");
    let form = "application/x-www-form-urlencoded";
    answer(
        post.header("content-type", form)
            .body(format!("code={digits}")),
    )
    .await
}

/// Path and query of a code's link.
fn link(code: &Value) -> String {
    let link = text(&code["link"]);
    let at = link.find("/support/").expect("a link of the portal");
    link[at..].to_owned()
}

fn attribute(page: &Answer, name: &str) -> String {
    let html = text(&page.body);
    let (_, rest) = html.split_once(&format!("{name}=\"")).expect("it is there");
    rest.split('"').next().unwrap_or_default().to_owned()
}

const STATUS: &str = "/api/support/status";
const CHAT: &str = "/api/support/chat";

/// The header with the page's ticket.
const TICKET: &str = "support-ticket";

const LINUX: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0",
);

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_types_the_code_and_gets_the_program_that_knows_its_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, ada) = server_with_programs(folder.path(), &[]).await;
    let made = code(&ada, json!({ "assigned_to_me": true })).await;
    let digits = text(&made["code"]);

    let form = page(&server, "/support", &[]).await;
    assert!(text(&form.body).contains("Enter your code"));
    let spaced = format!("{}+{}", &digits[..3], &digits[3..]);
    let help = type_code(&server, &spaced).await;
    assert!(text(&help.body).contains("Ada Lovelace will help you."));
    let by_link = page(&server, &link(&made), &[LINUX]).await;
    let html = text(&by_link.body);
    assert!(html.contains("Download for Linux") && html.contains(&format!("GuruConnect-{digits}")));
    assert!(!html.contains("Download for Windows"), "there is none");
    let ticket = attribute(&by_link, "data-ticket");
    let phase = async || {
        let status = page(&server, STATUS, &[(TICKET, &ticket)]).await;
        text(&status.body["phase"])
    };
    assert_eq!(phase().await, "open");

    let path = link(&made).replace('?', "/download/linux?");
    let response = server
        .request(Method::GET, &path)
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-disposition"],
        format!("attachment; filename=\"GuruConnect-{digits}\"").as_str()
    );
    let bytes = response.bytes().await.expect("a program");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let section = file.section_by_name(".gccfg").expect("the slot");
    let slot = section.data().expect("its content");
    let length = u32::from_le_bytes(slot[16..20].try_into().expect("four bytes")) as usize;
    let json_bytes = &slot[116..116 + length];
    let config: Value = serde_json::from_slice(json_bytes).expect("JSON");
    assert_eq!(config["server"], server.origin());
    let key: [u8; 32] = slot[84..116].try_into().expect("a key");
    assert_eq!(config["server_public_key"], BASE64.encode(key));
    let signature = Signature::from_slice(&slot[20..84]).expect("a signature");
    let signed = [b"guruconnect slot v1\0".as_slice(), json_bytes].concat();
    let key = VerifyingKey::from_bytes(&key).expect("a key");
    assert!(key.verify_strict(&signed, &signature).is_ok());
    assert_eq!(bytes.len(), program().len());
    assert_eq!(phase().await, "downloaded");

    // From here on the page follows along.
    let guest = TestAgent::guest(&server, &digits).await;
    assert_eq!(phase().await, "connected");
    let again = page(&server, &link(&made), &[LINUX]).await;
    assert_eq!(attribute(&again, "data-phase"), "connected");
    let accept = format!("/api/support-codes/{}/accept", text(&made["id"]));
    ada.send(Method::POST, &accept).await;
    assert_eq!(phase().await, "accepted");
    let cancel = format!("/api/support-codes/{}/cancel", text(&made["id"]));
    ada.send(Method::POST, &cancel).await;
    assert_eq!(phase().await, "finished");
    let late = page(&server, &link(&made), &[]).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    drop(guest);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_carries_the_chat_before_anybody_is_connected() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = code(&ada, json!({ "customer": "Contoso" })).await;
    let help = page(&server, &link(&made), &[]).await;
    let ticket = attribute(&help, "data-ticket");

    let hello = json!({ "client_id": "1", "text": "<b>Hello</b>" });
    let post = server.request(Method::POST, CHAT).header(TICKET, &ticket);
    assert_eq!(
        answer(post.json(&hello)).await.status,
        StatusCode::NO_CONTENT
    );
    let path = format!("/api/support-codes/{}/chat", text(&made["id"]));
    let hi = json!({ "client_id": "1", "text": "Hi" });
    ada.post(&path, hi).await;

    let chat = page(&server, CHAT, &[(TICKET, &ticket)]).await;
    let lines = chat.body["items"].clone();
    assert_eq!(lines[0]["text"], "<b>Hello</b>");
    assert_eq!(lines[0]["author"], "Contoso");
    assert_eq!(lines[1]["author"], "Ada Lovelace");
    assert_eq!(ada.get(&path).await.body["items"], lines);
    let forged = page(&server, CHAT, &[(TICKET, &format!("x{ticket}"))]).await;
    assert_eq!(forged.code(), "ticket_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_counts_in_its_header_and_never_in_an_address() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = code(&ada, json!({})).await;
    let help = page(&server, &link(&made), &[]).await;
    let ticket = attribute(&help, "data-ticket");

    for path in [STATUS, CHAT] {
        let address = format!("{path}?ticket={ticket}");
        let refused = page(&server, &address, &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        let shown = page(&server, path, &[(TICKET, &ticket)]).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
    }
    let script = page(&server, "/support/portal.js", &[]).await;
    assert!(!text(&script.body).contains("?ticket"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_elsewhere_loses_the_chat_when_the_customer_is_connected() {
    let (server, ada) = TestServer::claimed(&["--trusted-proxies", "127.0.0.1"]).await;
    let made = code(&ada, json!({})).await;
    let help = page(&server, &link(&made), &[]).await;
    let ticket = attribute(&help, "data-ticket");
    let from = |address: &'static str| [("x-forwarded-for", address), (TICKET, ticket.as_str())];
    let guesser = from("203.0.113.9");
    assert_eq!(page(&server, CHAT, &guesser).await.status, StatusCode::OK);

    let claim = server.request(Method::POST, "/api/support/claim");
    let claim = claim.header("x-forwarded-for", "198.51.100.7");
    let claimed = answer(claim.json(&TestAgent::claim_request(&text(&made["code"])))).await;

    assert_eq!(claimed.status, StatusCode::CREATED);
    assert_eq!(page(&server, CHAT, &guesser).await.code(), "chat_moved");
    let own = page(&server, CHAT, &from("198.51.100.7")).await;
    assert_eq!(own.status, StatusCode::OK);
    let post = server.request(Method::POST, CHAT).header(TICKET, &ticket);
    let post = post.header("x-forwarded-for", "203.0.113.9");
    let line = json!({ "client_id": "1", "text": "It is me" });
    assert_eq!(answer(post.json(&line)).await.code(), "chat_moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_visitors_language_and_show_the_company() {
    let company = [
        "--support-company",
        "<Contoso> & Sons",
        "--support-brand-colour",
        "#ffcc00",
    ];
    let (server, ada) = TestServer::claimed(&company).await;
    let made = code(&ada, json!({})).await;
    for (language, sentence) in [
        ("de-DE", "Ein Techniker wird Ihnen helfen."),
        ("es", "Un técnico le ayudará."),
        ("fr", "Un technicien va vous aider."),
        ("ja", "A technician will help you."),
    ] {
        let headers = [("accept-language", language)];
        let help = page(&server, &link(&made), &headers).await;
        let html = text(&help.body);
        assert!(html.contains(sentence), "{language}");
        assert!(html.contains("&lt;Contoso&gt; &amp; Sons"));
        assert!(html.contains("--brand:#ffcc00;--on-brand:#000000"));
        assert!(!html.contains("<Contoso>"));
        let policy = help.header("content-security-policy");
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert_eq!(help.header("cache-control"), "no-store");
    }
    // No program was put into its folder: the page says so.
    let help = page(&server, &link(&made), &[LINUX]).await;
    assert!(text(&help.body).contains("cannot be downloaded at the moment"));
    let path = link(&made).replace('?', "/download/linux?");
    let none = page(&server, &path, &[]).await;
    assert_eq!(none.status, StatusCode::SERVICE_UNAVAILABLE);
    let listed = ada.get("/api/support-codes").await.body;
    assert_eq!(listed["missing_programs"], json!(["windows", "linux"]));
}

async fn ask(server: &TestServer, name: &str, message: &str) -> Answer {
    let post = server.request(Method::POST, "/support/request");
    let form = "application/x-www-form-urlencoded";
    let body = format!("name={name}&message={message}");
    answer(post.header("content-type", form).body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_a_code_asks_and_one_technician_takes_them() {
    let (server, ada) = TestServer::claimed(&["--support-requests", "true"]).await;
    let bo = server
        .add_person("bo", gc_model::role::Role::Technician)
        .await;
    let cleo = server
        .add_person("cleo", gc_model::role::Role::Technician)
        .await;
    let form = page(&server, "/support", &[]).await;
    assert!(text(&form.body).contains("/support/request"));

    let empty = ask(&server, "+", "Help").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let help = ask(&server, "Grace", "It+does+not+print").await;
    assert!(text(&help.body).contains("A technician will help you."));
    let ticket = attribute(&help, "data-ticket");

    let listed = ada.get("/api/support-codes").await.body["items"][0].clone();
    assert_eq!(
        (&listed["requested"], &listed["customer"]),
        (&json!(true), &json!("Grace"))
    );
    let path = |what: &str| format!("/api/support-codes/{}/{what}", text(&listed["id"]));
    let taken = bo.send(Method::POST, &path("take")).await;
    assert_eq!(taken.body["technician"], "bo");
    let late = cleo.send(Method::POST, &path("take")).await;
    assert_eq!(late.code(), "support_of_other");
    assert_eq!(
        ada.send(Method::POST, &path("take")).await.code(),
        "support_code_moved_on"
    );
    let line = json!({ "client_id": "1", "text": "I am here" });
    assert_eq!(
        bo.post(&path("chat"), line).await.status,
        StatusCode::NO_CONTENT
    );
    let chat = page(&server, CHAT, &[(TICKET, &ticket)]).await;
    let lines = chat.body["items"].clone();
    assert_eq!(lines[0]["text"], "It does not print");
    assert_eq!(lines[1]["text"], "I am here");
    let again = page(&server, &link(&listed), &[]).await;
    assert!(text(&again.body).contains("bo will help you."));
    assert_eq!(ask(&server, "Grace", "Again").await.status, StatusCode::OK);
    assert_eq!(ask(&server, "Grace", "Again").await.status, StatusCode::OK);
    let slowed = ask(&server, "Grace", "Again").await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_for_help_where_the_operator_did_not_open_the_door() {
    let (server, ada) = TestServer::claimed(&[]).await;

    assert_eq!(
        ask(&server, "Grace", "Help").await.status,
        StatusCode::NOT_FOUND
    );
    let form = page(&server, "/support", &[]).await;
    assert!(!text(&form.body).contains("/support/request"));
    assert_eq!(ada.get("/api/support-codes").await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_look_alike_and_are_slowed_on_pages_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, ada) = server_with_programs(folder.path(), &[]).await;
    let made = code(&ada, json!({})).await;
    let cancelled = code(&ada, json!({})).await;
    let cancel = format!("/api/support-codes/{}/cancel", text(&cancelled["id"]));
    ada.send(Method::POST, &cancel).await;

    let typed = type_code(&server, &text(&cancelled["code"])).await;
    assert_eq!(typed.status, StatusCode::NOT_FOUND);
    assert!(text(&typed.body).contains("This code is not active."));
    let strange = type_code(&server, "%3Cscript%3E").await;
    let without = |page: &Answer| text(&page.body).replace(&text(&cancelled["code"]), "");
    assert_eq!(without(&typed), without(&strange));
    let wrong_token = link(&made).replace("?k=", "?k=x");
    assert_eq!(
        page(&server, &wrong_token, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let download = wrong_token.replace('?', "/download/linux?");
    assert_eq!(
        page(&server, &download, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        type_code(&server, "000000").await.status,
        StatusCode::NOT_FOUND
    );

    let slowed = type_code(&server, &text(&made["code"])).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(text(&slowed.body).contains("Please wait"));
    assert!(slowed.header("content-type").starts_with("text/html"));
    assert!(!slowed.header("retry-after").is_empty());
    assert_eq!(
        page(&server, &link(&made), &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_portal_are_there_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let logo = folder.path().join("logo.svg");
    std::fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").expect("a logo");
    let logo = logo.display().to_string();
    let (server, ada) = TestServer::claimed(&["--support-logo", &logo]).await;
    let made = code(&ada, json!({})).await;
    for (path, kind) in [
        ("/support/portal.css", "text/css"),
        ("/support/portal.js", "text/javascript"),
        ("/support/logo", "image/svg+xml"),
    ] {
        let file = page(&server, path, &[]).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert!(file.header("content-type").starts_with(kind), "{path}");
    }
    let path = link(&made).replace('?', "/download/amiga?");
    assert_eq!(
        page(&server, &path, &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_name_the_address_that_was_asked_for_however_many_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, ada) = server_with_programs(folder.path(), &[]).await;
    let made = code(&ada, json!({})).await;
    let download = link(&made).replace('?', "/download/linux?");

    for round in 0..2 {
        for n in 0..10 {
            let host = format!("host{n}.example");
            let program = server
                .request(Method::GET, &download)
                .header("host", &host)
                .send()
                .await
                .expect("an answer");
            assert_eq!(program.status(), StatusCode::OK, "{round} {n}");
            let bytes = program.bytes().await.expect("a program");
            let named = format!("http://{host}\"");
            let found = bytes
                .windows(named.len())
                .any(|window| window == named.as_bytes());
            assert!(found, "{round} {host}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_hours_customers_are_told_and_their_request_is_still_there_in_the_morning() {
    use chrono::Datelike as _;
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let today = chrono::Utc::now().weekday().num_days_from_monday();
    let hours = format!("{} 03:00-03:01", days[((today + 3) % 7) as usize]);
    let zone = ["--support-time-zone", "Pacific/Auckland"];
    let asking = ["--support-requests", "true", "--support-hours", &hours];
    let (server, ada) = TestServer::claimed(&[&asking[..], &zone].concat()).await;

    let form = page(&server, "/support/request", &[]).await;
    assert!(text(&form.body).contains("we will call you back"));
    assert!(text(&form.body).contains("03:00–03:01 (Pacific/Auckland)"));
    let german = page(&server, "/support/request", &[("accept-language", "de")]).await;
    assert!(text(&german.body).contains("Wir sind erreichbar: "));
    let asked = ask(&server, "Grace", "Call+me").await;
    assert!(text(&asked.body).contains("we will call you back"));
    let listed = ada.get("/api/notices").await.body;
    assert_eq!(listed["support_time_zone"], "Pacific/Auckland");

    let entry = ada.get("/api/support-codes").await.body["items"][0].clone();
    let time = |name: &str| {
        let written = text(&entry[name]);
        chrono::DateTime::parse_from_rfc3339(&written).expect("a time")
    };
    assert!(time("expires_at") - time("created_at") > chrono::TimeDelta::days(3));
}

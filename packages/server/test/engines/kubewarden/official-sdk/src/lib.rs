//! A policy on the SDK of Kubewarden: each setting makes it use another part of the protocol.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use kubewarden_policy_sdk::host_capabilities::net::lookup_host;
use kubewarden_policy_sdk::request::ValidationRequest;
use kubewarden_policy_sdk::settings::Validatable;
use kubewarden_policy_sdk::{
    accept_request, logging, mutate_request, protocol_version_guest, reject_request, validate_settings,
};
use serde::{Deserialize, Serialize};
use slog::{Logger, info, o};
use wapc_guest::prelude::*;

#[derive(Serialize, Deserialize, Default, Debug)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Names that are refused; none may be empty.
    denied: Vec<String>,
    /// A host to be looked up; its addresses are the denial.
    lookup: Option<String>,
    /// A label to be added.
    label: Option<String>,
    /// Panics in the middle of a request.
    panic: bool,
    /// Denies with the number of requests that this instance has seen.
    count: bool,
}

impl Validatable for Settings {
    fn validate(&self) -> Result<(), String> {
        if self.denied.iter().any(|name| name.is_empty()) {
            return Err("`denied` has an empty name".to_owned());
        }
        Ok(())
    }
}

static DENIED: OnceLock<Vec<String>> = OnceLock::new();
static SEEN: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings::<Settings>);
    register_function("protocol_version", protocol_version_guest);
}

fn validate(payload: &[u8]) -> CallResult {
    let ValidationRequest { settings, request } = ValidationRequest::<Settings>::new(payload)?;
    let log = Logger::root(logging::KubewardenDrain::new(), o!("policy" => "official"));
    info!(log, "asked"; "uid" => &request.uid, "user" => &request.user_info.username);

    let seen = SEEN.fetch_add(1, Ordering::Relaxed);
    if settings.count {
        return reject_request(Some(seen.to_string()), None, None, None);
    }
    if settings.panic && request.name != "warm-up" {
        panic!("asked to");
    }
    let name = request.object["metadata"]["name"].as_str().unwrap_or_default();
    let denied = DENIED.get_or_init(|| settings.denied.clone());
    if denied.iter().any(|one| one == name) {
        let annotations = [("name".to_owned(), name.to_owned())].into();
        let message = format!("the name `{name}` is denied");
        return reject_request(Some(message), Some(422), Some(annotations), Some(vec!["see the list".to_owned()]));
    }
    if let Some(host) = &settings.lookup {
        let found = lookup_host(host)?;
        return reject_request(Some(found.ips.join(",")), None, None, None);
    }
    if let Some(label) = settings.label {
        let mut changed = request.object.clone();
        changed["metadata"]["labels"][label] = "yes".into();
        return mutate_request(changed);
    }
    accept_request()
}

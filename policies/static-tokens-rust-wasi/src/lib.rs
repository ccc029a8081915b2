//! Authenticator of the WASI stdin/stdout dialect: knows the tokens whose SHA-256 stands in its settings.
//!
//! The token itself is never written anywhere, neither to the answer nor to standard error.

mod token_table;

use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use token_table::{Settings, User};

#[derive(Deserialize)]
struct Envelope {
    request: TokenReview,
    settings: Option<Settings>,
}

#[derive(Deserialize)]
struct TokenReview {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    token: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    response: Option<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    api_version: &'static str,
    kind: &'static str,
    status: Status,
}

#[derive(Serialize)]
struct Status {
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
}

/// Entry point: one request on standard input, one answer on standard output.
#[unsafe(no_mangle)]
pub extern "C" fn authn() {
    let mut input = Vec::new();
    let answer = match std::io::stdin().read_to_end(&mut input) {
        Ok(_) => judge(&input),
        Err(problem) => Answer { response: None, error: Some(problem.to_string()) },
    };
    let output = serde_json::to_vec(&answer).expect("an answer is JSON");
    let mut stdout = std::io::stdout().lock();
    // Nobody flushes at the end of a function: only programs have an end.
    stdout.write_all(&output).and_then(|()| stdout.flush()).expect("standard output takes the answer");
}

fn judge(input: &[u8]) -> Answer {
    match authenticate(input) {
        Ok(user) => Answer {
            response: Some(Response {
                api_version: "authentication.k8s.io/v1",
                kind: "TokenReview",
                status: Status { authenticated: user.is_some(), user },
            }),
            error: None,
        },
        Err(error) => Answer { response: None, error: Some(error) },
    }
}

/// Nobody for a token that is not in the table: others may know it, so that is no error.
fn authenticate(input: &[u8]) -> Result<Option<User>, String> {
    // The words of the parser may quote what it read, so only the place is told.
    let Envelope { request, settings } = serde_json::from_slice(input).map_err(|problem| {
        format!(
            "cannot read the request or the settings: line {} column {}",
            problem.line(),
            problem.column()
        )
    })?;
    let settings = settings.ok_or("setting `tokens` is missing")?;
    settings.check()?;
    let token = request.spec.token.filter(|token| !token.is_empty()).ok_or("no token in the request")?;
    Ok(settings.find(&token))
}

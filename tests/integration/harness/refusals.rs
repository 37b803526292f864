//! What servers answer when they refuse something.

use longshore::sandbox::{Effect, Fault};
use serde_json::{Value, json};

fn answer(status: u16, body: &Value) -> Effect {
    Effect::Answer {
        status,
        headers: Vec::new(),
        body: body.to_string(),
    }
}

/// A registry's, by a code of the distribution protocol's.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Effect {
    let error = json!({"code": code, "message": message});
    answer(status, &json!({"errors": [error]}))
}

/// That of an API of AWS's which speaks JSON, as ECR's does.
pub(crate) fn exception(status: u16, name: &str, message: &str) -> Effect {
    answer(status, &json!({"__type": name, "message": message}))
}

/// IAM's, once, to whoever may not do this, such as `ecr:PutImage`.
pub(crate) fn denied(action: &str) -> Fault {
    let (service, operation) = action.split_once(':').unwrap();
    let message = format!(
        "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: {action} on \
         resource: *"
    );
    let effect = match service {
        // It speaks XML.
        "iam" => Effect::Answer {
            status: 403,
            headers: Vec::new(),
            body: format!(
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message>\
                 </Error></ErrorResponse>"
            ),
        },
        _ => exception(400, "AccessDeniedException", &message),
    };
    Fault::new(operation, effect)
}

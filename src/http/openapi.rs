//! The description of the API (OpenAPI 3.1), made from the table that the router is made from.
//!
//! Not here: the schemas of what is answered (`openapi/schemas.rs`).

mod schemas;
pub mod stream;

use serde_json::{Map, Value, json};

use super::api::ROOT;
use super::api::routes::{Kind, Method, Route, Shape, TABLE};
use super::auth::Scope;
use super::problem;

/// Of the interface, not of the program: it changes when callers have to.
const VERSION: &str = "1.0";

/// As committed in `docs/openapi.json`, ending with a line's end.
pub fn text() -> String {
    // Maps with text keys only: this cannot fail.
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in TABLE {
        let path = paths.entry(format!("{ROOT}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method.name().to_lowercase()] = operation(route);
    }
    let mut components = schemas::all();
    components.insert("Problem".into(), problem::schema());
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "deskbridge",
            "version": VERSION,
            "summary": "Conversations between people who need IT help and those who give it",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-deskbridge",
                    "description": "Of the console; writes also need the header of `csrf`, and come from our own page"
                },
                "csrf": {"type": "apiKey", "in": "header", "name": "x-csrf-token", "description": "As `me` gives it"},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": format!("`dbp_…`, made with `deskbridge token create`; scopes: {}", scopes.join(", "))
                }
            },
            "schemas": components
        }
    })
}

/// `get_conversations_conversation_messages`: unique, because method and path are.
fn operation_id(route: &Route) -> String {
    let path = route.path.replace(['{', '}'], "").replace('/', "_");
    format!("{}{path}", route.method.name().to_lowercase())
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route)
    });
    if let Some(scope) = route.scope {
        operation["security"] = json!([{"token": [scope.name()]}, {"session": [], "csrf": []}]);
    }
    if route.open {
        operation["security"] = json!([]);
    }
    if route.upload {
        let bytes = json!({"schema": {"type": "string", "format": "binary"}});
        operation["requestBody"] = json!({"required": true, "content": {"application/octet-stream": bytes}});
    } else if route.fields.is_some() {
        operation["requestBody"] = body(route);
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = names
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": path_schema(name)}))
        .collect();
    for param in route.query {
        let schema = if param.name == "limit" {
            json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50})
        } else {
            json!({"type": "string"})
        };
        all.push(json!({"name": param.name, "in": "query", "required": param.required, "description": param.about, "schema": schema}));
    }
    let mut header = |name: &str, about: &str| {
        all.push(json!({"name": name, "in": "header", "required": false, "description": about, "schema": {"type": "string"}}));
    };
    if route.method != Method::Get && !route.open {
        header(
            "Idempotency-Key",
            if route.is_once() {
                "The same request with the same key is carried out once and answered as it was; with another request it is 422"
            } else {
                "The same request with the same key is carried out once; with another request it is 422"
            },
        );
        if route.path.starts_with("/conversations/") {
            header("If-Match", "The ETag of the conversation: 409 when it has moved on");
        }
    }
    if matches!(route.shape, Shape::Stream) {
        header("Last-Event-ID", "The last event that was seen");
    }
    all
}

fn path_schema(name: &str) -> Value {
    match name {
        "conversation" => json!({"type": "integer"}),
        "verb" => json!({"type": "string", "enum": super::api::verbs()}),
        // As made; nobody guesses one.
        "token" => json!({"type": "string", "pattern": "^[0-9a-f]{8}$"}),
        "message" => json!({"type": "string", "pattern": "^[0-9]{1,18}\\.[0-9]{1,18}\\.[0-9]{1,9}$"}),
        "blob" => json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}),
        _ => json!({"type": "string"}),
    }
}

fn body(route: &Route) -> Value {
    let fields = route.fields.unwrap_or_default();
    let mut properties = Map::new();
    for field in fields {
        let mut schema = match field.kind {
            Kind::Text(most) => json!({"type": "string", "minLength": 1, "maxLength": most}),
            Kind::Free(most) => json!({"type": "string", "maxLength": most}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Number(most) => json!({"type": "integer", "minimum": 0, "maximum": most}),
            Kind::Texts(most) => {
                json!({"type": "array", "maxItems": most, "items": {"type": "string", "minLength": 1, "maxLength": 200}})
            }
            Kind::Any => json!({}),
            Kind::Choice(choices) => json!({"type": "string", "enum": choices}),
        };
        schema["description"] = field.about.into();
        properties.insert(field.name.into(), schema);
    }
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties
    });
    json!({"required": !required.is_empty(), "content": {"application/json": {"schema": schema}}})
}

fn responses(route: &Route) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let object = |properties: Value, required: Value| json!({"type": "object", "required": required, "properties": properties});
    let content = match route.shape {
        Shape::One(name) => {
            json!({"application/json": {"schema": object(json!({"data": reference(name)}), json!(["data"]))}})
        }
        Shape::List(name) => {
            let data = json!({"data": {"type": "array", "items": reference(name)}});
            json!({"application/json": {"schema": object(data, json!(["data"]))}})
        }
        Shape::Page(name) => {
            let data = json!({
                "data": {"type": "array", "items": reference(name)},
                "next_cursor": {"type": ["string", "null"]}
            });
            json!({"application/json": {"schema": object(data, json!(["data", "next_cursor"]))}})
        }
        Shape::Bytes => {
            json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
        }
        Shape::Stream => stream::content(),
    };
    let mut all = json!({});
    all[route.status.to_string()] = json!({"description": "Done", "content": content});
    if route.method != Method::Get && route.status != 200 && !route.is_once() {
        let replayed =
            json!({"description": "The same request was carried out before (Idempotency-Replayed: true)"});
        all["200"] = replayed;
    }
    all["default"] = json!({
        "description": "Refused",
        "content": {"application/problem+json": {"schema": reference("Problem")}}
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_and_every_reference_is_there() {
        let document = document();
        let described: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(described, TABLE.len());
        let text = text();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        for name in schemas.keys() {
            assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name} is used by nothing");
        }
    }
}

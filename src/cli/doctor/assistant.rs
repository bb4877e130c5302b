//! The assistant: articles to answer from, and a model that answers.
//!
//! Not here: how good the answers are (`kb search` shows why an article is found).

use deskbridge_services::knowledge::Knowledge;
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::network::{cause, client};
use crate::config::{Config, Engine};
use crate::kits::Check;

pub async fn checks(config: &Config) -> Vec<Check> {
    if config.assistant.engine == Engine::Off {
        return vec![Check::skip("ai.engine", "off: conversations go straight to technicians")];
    }
    let mut checks = articles(config);
    if config.assistant.engine == Engine::Openai {
        checks.push(model(config).await);
    }
    checks
}

fn articles(config: &Config) -> Vec<Check> {
    let folder = &config.assistant.knowledge;
    let (knowledge, problems) = Knowledge::load(folder);
    let shown = folder.display();
    let mut checks = vec![match knowledge.articles().len() {
        0 => Check::warn(
            "kb.articles",
            format!("no articles in {shown}"),
            "the assistant has nothing to answer from",
            "set assistant.knowledge to a folder of Markdown articles",
        ),
        n => Check::pass("kb.articles", format!("{shown}: {}", crate::cli::check::count(n, "article"))),
    }];
    if !problems.is_empty() && !knowledge.articles().is_empty() {
        let what = format!("{} in {shown}", crate::cli::check::count(problems.len(), "problem"));
        checks.push(Check::warn(
            "kb.files",
            what,
            "what could not be read is not answered from",
            "deskbridge kb status",
        ));
    }
    checks
}

async fn model(config: &Config) -> Check {
    const ID: &str = "ai.model";
    let assistant = &config.assistant;
    let model = assistant.model.clone().unwrap_or_default();
    let base = &assistant.base_url;
    let ask = client().map(|client| {
        let request = client.get(format!("{base}/models"));
        match &assistant.api_key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        }
    });
    let answer = match ask {
        Ok(request) => request.send().await,
        Err(error) => Err(error),
    };
    let why = "answers come from the articles alone, or people are called at once";
    match answer {
        Err(error) => Check::fail(
            ID,
            format!("{base}: {}", cause(&error)),
            why,
            "check assistant.base_url, the network and a proxy",
        ),
        Ok(answer) if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Check::fail(
                ID,
                format!("{base} refuses the key ({})", answer.status()),
                why,
                "set assistant.api_key_file to a file with a valid key",
            )
        }
        Ok(answer) if answer.status().is_success() => match listed(answer).await {
            Some(models) if !models.contains(&model) => Check::warn(
                ID,
                format!("{base} does not list {model:?}"),
                why,
                "set assistant.model to one that the server has",
            ),
            Some(_) | None => Check::pass(ID, format!("{model} at {base}")),
        },
        Ok(answer) => {
            let what = format!("{base}/models answered {}", answer.status());
            Check::warn(ID, what, "the server may still answer chats", "send a message and look at the log")
        }
    }
}

async fn listed(answer: reqwest::Response) -> Option<Vec<String>> {
    let list: Value = answer.json().await.ok()?;
    let models = list.get("data")?.as_array()?;
    Some(models.iter().filter_map(|model| model.get("id")?.as_str().map(str::to_owned)).collect())
}

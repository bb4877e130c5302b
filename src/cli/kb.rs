//! `deskbridge kb`: the articles, and why a question finds which of them.
//!
//! Not here: what the assistant says with them; bringing them up to date (`kb/sync.rs`).

mod sync;

use deskbridge_services::knowledge::{Hit, Knowledge, LoadProblem, Matched};
use serde::Serialize;

use super::failure::{Failure, Outcome, RUNTIME};
use super::setting::Common;
use super::{check, out};
use crate::config::Config;
use crate::kits;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Read the articles, and say what is new, changed, gone or faulty since the last time
    Sync(sync::Args),
    /// Say how many articles there are, and which files could not be read
    Status(Status),
    /// Ask a question, and see which articles it finds and why
    Search(Search),
}

#[derive(clap::Args, Debug)]
pub struct Status {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Search {
    /// The question, as a requester would write it
    #[arg(required = true)]
    question: Vec<String>,
    /// Articles at most
    #[arg(long, default_value_t = 5)]
    limit: usize,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Folder {
    folder: String,
    articles: usize,
    sections: usize,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct Found<'a> {
    article: &'a str,
    title: &'a str,
    section: String,
    score: f32,
    matched: &'a [Matched],
}

pub async fn run(common: &Common, command: &Command) -> Outcome {
    let config = common.load()?;
    let (knowledge, problems) = Knowledge::load(&config.assistant.knowledge);
    match command {
        Command::Sync(args) => sync::run(&config, &knowledge, &problems, args).await,
        Command::Status(args) => status(&config, &knowledge, &problems, args.json),
        Command::Search(args) => search(&config, &knowledge, args),
    }
}

fn status(config: &Config, knowledge: &Knowledge, problems: &[LoadProblem], json: bool) -> Outcome {
    let folder = config.assistant.knowledge.display().to_string();
    let articles = knowledge.articles().len();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    match json {
        true => {
            out::json(&Folder { folder, articles, sections: knowledge.chunks(), problems: problems.clone() })
        }
        false => {
            let (articles, sections) =
                (check::count(articles, "article"), check::count(knowledge.chunks(), "section"));
            out::line(&format!("{folder}: {articles}, {sections}"));
            for problem in &problems {
                out::line(&format!("{} {problem}", out::mark(kits::Outcome::Warn)));
            }
        }
    }
    if articles_missing(knowledge) { Err(Failure::Said(RUNTIME)) } else { Ok(()) }
}

fn articles_missing(knowledge: &Knowledge) -> bool {
    knowledge.articles().is_empty()
}

fn search(config: &Config, knowledge: &Knowledge, args: &Search) -> Outcome {
    if articles_missing(knowledge) {
        return Err(Failure::runtime(
            format!("there are no articles in {}", config.assistant.knowledge.display()),
            "the folder is missing, empty, or not readable",
            "deskbridge kb status",
        ));
    }
    let hits = knowledge.search(&args.question.join(" "), args.limit);
    if args.json {
        out::json(&hits.iter().map(found).collect::<Vec<_>>());
        return Ok(());
    }
    if hits.is_empty() {
        out::note("no article fits; the assistant would offer a technician");
    }
    for (n, hit) in hits.iter().enumerate() {
        out::data(&explained(n + 1, hit));
    }
    Ok(())
}

fn found(hit: &Hit) -> Found<'_> {
    Found {
        article: hit.article.id.as_str(),
        title: &hit.article.title,
        section: hit.chunk.heading_path(),
        score: hit.score,
        matched: &hit.matched,
    }
}

/// Reasons shown per article; more would bury the strong ones.
const REASONS: usize = 6;

fn explained(n: usize, hit: &Hit) -> String {
    let section = match hit.chunk.heading_path() {
        path if path.is_empty() => String::new(),
        path => format!(" › {path}"),
    };
    let mut text = format!("{n}. {:.2}  {}{section}\n", hit.score, hit.article.title);
    text.push_str(&format!("   {}\n", hit.article.path.display()));
    for reason in hit.matched.iter().take(REASONS) {
        let found =
            if reason.found == reason.term { String::new() } else { format!(" as {:?}", reason.found) };
        let (place, by) =
            (format!("{:?}", reason.field).to_lowercase(), format!("{:?}", reason.by).to_lowercase());
        text.push_str(&format!("   {:.2}  {:?}{found} in {place}, by {by}\n", reason.share, reason.term));
    }
    text
}

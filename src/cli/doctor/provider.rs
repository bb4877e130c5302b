//! The company's OpenID provider: does it describe itself as `[oidc]` names it, and can its signatures be verified?
//!
//! Not here: whether it takes our client and our address; only a sign-in shows that.

use deskbridge_services::oidc::{Provider, Refusal};

use crate::config::Config;
use crate::kits::Check;

const DISCOVERY: &str = "oidc.discovery";

pub async fn checks(config: &Config) -> Vec<Check> {
    let Some(oidc) = &config.oidc else {
        return vec![Check::skip(DISCOVERY, "[oidc] is not set; people sign in by passwords")];
    };
    let found = match Provider::new(oidc.settings()).describe().await {
        Ok(found) => found,
        Err(refusal) => {
            let fix = match refusal {
                Refusal::Unreachable(_) => "check oidc.issuer, DNS, the network and a proxy",
                _ => {
                    "set oidc.issuer letter by letter as \"issuer\" stands in its /.well-known/openid-configuration"
                }
            };
            let what = format!("{}: {refusal}", oidc.issuer);
            return vec![Check::fail(DISCOVERY, what, "nobody can sign in with it", fix)];
        }
    };
    let what = format!("{} signs by {}", oidc.issuer, found.algorithms.join(", "));
    let mut checks = vec![Check::pass(DISCOVERY, what)];
    checks.push(match found.keys {
        0 => Check::fail(
            "oidc.keys",
            "none of its keys fits its algorithms",
            "nobody can sign in with it",
            "let the provider sign ID tokens by RS256 or ES256",
        ),
        n => Check::pass("oidc.keys", crate::cli::check::count(n, "key")),
    });
    if !found.has_pkce {
        checks.push(Check::warn(
            "oidc.pkce",
            "it does not say that it knows PKCE with S256",
            "a code that somebody steals on the way back may be worth something",
            "turn PKCE on for this client, if the provider has it",
        ));
    }
    checks.push(Check::pass("oidc.redirect", format!("to be registered there: {}", oidc.redirect_uri)));
    checks
}

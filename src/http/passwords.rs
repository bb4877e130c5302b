//! Passwords: what a good one is, how it is kept (argon2id), and how it is compared without telling anything (S76, S81).
//!
//! Not here: whose it is, how often one may try (`throttle.rs`).

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use super::problem::Problem;

pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 200;
/// Each takes 19 MiB and a core; more would be a way to take the machine down.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// Compared with where there is no account, so that the answer takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hashed("nobody signs in with this").unwrap_or_default());
/// The beginnings of what people take when they have to take something.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "123456",
    "qwerty",
    "letmein",
    "welcome",
    "admin",
    "changeme",
    "deskbridge",
    "abc123",
    "iloveyou",
    "secret",
];

/// `Err`: what is wrong with it, for the person who chose it.
pub fn fit(password: &str, login: &str) -> Result<(), &'static str> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err("choose at least 12 characters");
    }
    if length > LONGEST {
        return Err("choose at most 200 characters");
    }
    let small = password.to_lowercase();
    let user = login.split('@').next().unwrap_or_default();
    let mut different: Vec<char> = small.chars().collect();
    different.sort_unstable();
    different.dedup();
    let mostly = |word: &str| {
        small.contains(word) && small.replace(word, "").chars().filter(|c| c.is_alphabetic()).count() < 4
    };
    if different.len() < 5
        || COMMON.iter().any(|word| mostly(word))
        || (user.len() > 2 && small.contains(user))
    {
        return Err("this is among the first that anybody would try");
    }
    Ok(())
}

/// In the PHC string form.
pub async fn keep(password: String) -> Result<String, Problem> {
    work(move || hashed(&password)).await?.ok_or_else(Problem::internal)
}

/// `kept: None` takes as long, and is never right.
pub async fn is_right(password: String, kept: Option<String>) -> Result<bool, Problem> {
    work(move || {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODYS.clone());
        let Ok(parsed) = PasswordHash::new(&kept) else { return false };
        let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        right && known
    })
    .await
}

fn hashed(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

async fn work<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let _turn = AT_ONCE.acquire().await.map_err(|_| Problem::internal())?;
    tokio::task::spawn_blocking(job).await.map_err(|_| Problem::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s81_weak_ones_are_refused() {
        for weak in [
            "short",
            "aaaaaaaaaaaa",
            "password1234",
            "Passw0rd!2024",
            "qwerty123456",
            "ana.lopez 2024!",
            &"ab".repeat(150),
        ] {
            assert!(fit(weak, "ana.lopez@example.com").is_err(), "{weak}");
        }
        for good in
            ["correct horse battery", "xK9#mQ2$vL5!", "eine lange wörterreihe", "my secret garden of words"]
        {
            assert_eq!(fit(good, "ana@example.com"), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_salted_and_slow() {
        let kept = keep("correct horse battery".into()).await.unwrap();
        let again = keep("correct horse battery".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$") && kept != again);
        assert!(is_right("correct horse battery".into(), Some(kept.clone())).await.unwrap());
        assert!(!is_right("correct horse batterz".into(), Some(kept)).await.unwrap());
        assert!(!is_right("nobody signs in with this".into(), None).await.unwrap());
        assert!(!is_right("x".into(), Some("no hash".into())).await.unwrap());
    }
}

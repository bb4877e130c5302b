//! The plan of faults: which of the next calls go wrong.
//! What can go wrong, each platform says for itself.

/// One line of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault<K> {
    /// The method's name; none for every one.
    pub method: Option<String>,
    pub channel: Option<String>,
    /// How many matching calls pass unharmed first.
    pub after: u32,
    pub times: u32,
    pub fault: K,
}

impl<K> Fault<K> {
    pub fn on(method: &str, fault: K) -> Self {
        Fault { method: Some(method.to_owned()), channel: None, after: 0, times: 1, fault }
    }

    pub fn anywhere(fault: K) -> Self {
        Fault { method: None, channel: None, after: 0, times: 1, fault }
    }

    pub fn in_channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
        self
    }

    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }
}

#[derive(Debug)]
pub struct Plan<K> {
    lines: Vec<Fault<K>>,
}

impl<K> Default for Plan<K> {
    fn default() -> Self {
        Plan { lines: Vec::new() }
    }
}

impl<K: Clone> Plan<K> {
    pub fn add(&mut self, fault: Fault<K>) {
        self.lines.push(fault);
    }

    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Faults still to come.
    pub fn left(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.times)).sum()
    }

    /// The fault for this call: the first line that matches it.
    pub(crate) fn take(&mut self, method: &str, channel: Option<&str>) -> Option<K> {
        let matching = |line: &Fault<K>| {
            line.method.as_deref().is_none_or(|wanted| wanted == method)
                && line.channel.as_deref().is_none_or(|wanted| channel == Some(wanted))
        };
        let at = self.lines.iter().position(matching)?;
        let line = &mut self.lines[at];
        if line.after > 0 {
            line.after -= 1;
            return None;
        }
        let fault = line.fault.clone();
        line.times = line.times.saturating_sub(1);
        if line.times == 0 {
            self.lines.remove(at);
        }
        Some(fault)
    }
}

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A primary and two that follow it, asked one by one.
struct Trial {
    state: State,
    options: RoutingOptions,
    now: Instant,
}

impl Trial {
    fn new() -> Self {
        let mut trial =
            Self { state: State::new(3), options: RoutingOptions::new(), now: Instant::now() };
        trial.says(0, 1_000);
        trial.replica(1, 1_000, None);
        trial.replica(2, 1_000, None);
        // Once all were heard of, it is known who the primary is.
        trial.says(0, 1_000);
        trial
    }

    fn answers(&mut self, node: usize, state: ServerState) {
        let question = self.state.question(node, self.now);
        let answer = Ok((state, Duration::ZERO));
        self.state.heard(question, answer, self.now, 0.0, &self.options);
    }

    /// The primary is there.
    fn says(&mut self, node: usize, position: u64) {
        self.answers(node, ServerState::primary("7", 1, LogPosition(position), 1));
    }

    fn replica(&mut self, node: usize, position: u64, behind: Option<Duration>) {
        let state = ServerState::standby("7", 1, LogPosition(position), 1);
        self.answers(node, ServerState { behind, ..state });
    }

    fn is_silent(&mut self, node: usize) {
        let question = self.state.question(node, self.now);
        let answer = Err(Error::new(crate::error::ErrorKind::Connect, "no answer in time"));
        self.state.heard(question, answer, self.now, 0.0, &self.options);
    }

    fn lag(&self, node: usize) -> Option<Duration> {
        self.state.lag_now(node, self.now)
    }
}

#[test]
fn what_a_replica_said_of_its_lag_grows_old() {
    let mut trial = Trial::new();
    trial.now += SECOND;
    trial.says(0, 2_000);
    // It was behind all that is known, and said that it was hardly behind; since then it is silent.
    trial.replica(1, 900, Some(SECOND / 10));
    trial.now += SECOND * 5;
    trial.says(0, 3_000);
    assert!(trial.lag(1).unwrap() >= SECOND * 6, "{:?}", trial.lag(1));
}

#[test]
fn a_clock_that_is_slow_makes_no_replica_fresh() {
    let mut trial = Trial::new();
    trial.now += SECOND * 10;
    trial.says(0, 2_000);
    trial.replica(1, 1_500, Some(Duration::ZERO));
    assert_eq!(trial.lag(1), Some(SECOND * 10), "it shows what was there ten seconds ago");
    assert_eq!(trial.state.seen[1].lag, Some(SECOND * 10));
}

#[test]
fn what_passes_after_the_last_answer_counts_for_a_limit_and_not_for_leaving_out() {
    let mut trial = Trial::new();
    trial.now += SECOND * 3;
    assert_eq!(trial.lag(1), Some(SECOND * 3));
    assert_eq!(trial.state.seen[1].lag, Some(Duration::ZERO));
    // The primary was asked later than the replica, which says nothing against that.
    trial.says(0, 2_000);
    assert_eq!(trial.state.seen[1].lag, Some(Duration::ZERO));
    trial.now += SECOND;
    trial.replica(1, 1_000, None);
    assert_eq!(trial.state.seen[1].lag, Some(SECOND * 3));
}

#[test]
fn a_primary_is_gone_only_once_it_gave_no_answer_after_the_last_doubt() {
    let mut trial = Trial::new();
    assert!(!trial.state.is_primary_gone());
    trial.is_silent(0);
    assert!(!trial.state.is_primary_gone(), "one answer that was missed");
    trial.state.doubt(0);
    assert_eq!(trial.state.writable(), None);
    assert!(!trial.state.is_primary_gone(), "it was not asked since");
    trial.is_silent(0);
    assert!(trial.state.is_primary_gone());
    trial.says(0, 1_000);
    assert!(!trial.state.is_primary_gone());
}

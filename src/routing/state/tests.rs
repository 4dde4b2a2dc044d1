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
fn what_has_passed_since_a_replica_said_how_far_it_is_behind_is_added() {
    let mut trial = Trial::new();
    trial.replica(1, 900, Some(SECOND * 5));
    trial.now += SECOND * 3;
    assert_eq!(trial.lag(1), Some(SECOND * 8));
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
fn a_replica_that_is_left_out_for_its_lag_has_to_come_closer_than_one_that_is_not() {
    let mut trial = Trial::new();
    trial.options = RoutingOptions::new().max_lag(SECOND * 10);
    trial.now += SECOND * 5;
    trial.says(0, 1_500);
    trial.now += SECOND * 7;
    trial.says(0, 2_000);
    for (position, lags) in [(1_500, false), (1_000, true), (1_500, true), (2_000, false)] {
        trial.replica(1, position, None);
        assert_eq!(trial.state.seen[1].is_lagging, lags, "{position}");
    }
}

#[test]
fn a_primary_that_was_doubted_is_written_to_once_all_were_asked_again() {
    let mut trial = Trial::new();
    assert_eq!(trial.state.writable(), Some(0));
    trial.state.doubt(0);
    trial.says(0, 1_000);
    assert_eq!(trial.state.writable(), None, "a replica may have been promoted since");
    trial.replica(1, 1_000, None);
    assert_eq!(trial.state.writable(), None);
    trial.replica(2, 1_000, None);
    assert_eq!(trial.state.writable(), Some(0));
}

#[test]
fn a_primary_that_became_a_replica_or_was_started_anew_is_cut_or_looked_at() {
    let mut trial = Trial::new();
    let mut hear = |state: ServerState| {
        let question = trial.state.question(0, trial.now);
        let answer = Ok((state, Duration::ZERO));
        let then = trial.state.heard(question, answer, trial.now, 0.0, &trial.options);
        (then.cut, then.ask_all, trial.state.writable())
    };
    let at = LogPosition(1_000);
    assert_eq!(hear(ServerState::primary("7", 1, at, 1)), (Vec::new(), false, Some(0)));
    assert_eq!(hear(ServerState::primary("7", 1, at, 2)), (Vec::new(), true, None));
    assert_eq!(hear(ServerState::standby("7", 1, at, 2)), (vec![(0, Why::Demoted)], true, None));
}

#[test]
fn where_another_primary_was_is_no_measure_for_those_who_follow_the_new_one() {
    let mut trial = Trial::new();
    trial.now += SECOND;
    trial.says(0, 9_000);
    trial.is_silent(0);
    trial.answers(1, ServerState::primary("7", 2, LogPosition(1_100), 2));
    trial.now += SECOND;
    trial.answers(1, ServerState::primary("7", 2, LogPosition(1_200), 2));
    assert_eq!(trial.state.history.last(), Some(LogPosition(1_200)));
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

use super::*;

fn says(is_standby: bool, timeline: u32) -> Heard {
    let system = "7000".to_owned();
    Heard::Said(Said { system, is_standby, takes_writes: !is_standby, timeline, started: 1 })
}

fn primary(timeline: u32) -> Heard {
    says(false, timeline)
}

fn standby(timeline: u32) -> Heard {
    says(true, timeline)
}

/// A primary and two that follow it.
fn three() -> Roles {
    let mut roles = Roles::new(3);
    roles.hear(0, primary(1));
    roles.hear(1, standby(1));
    assert_eq!(roles.verdict(), Verdict::Unsettled);
    roles.hear(2, standby(1));
    assert_eq!(roles.verdict(), Verdict::Primary(0));
    roles
}

#[test]
fn nobody_is_the_primary_before_all_were_asked() {
    let mut roles = Roles::new(2);
    roles.hear(0, primary(1));
    assert_eq!(roles.verdict(), Verdict::Unsettled);
    roles.hear(1, Heard::Silence);
    assert_eq!(roles.verdict(), Verdict::Primary(0));
}

#[test]
fn a_primary_that_is_silent_for_a_while_stays_it() {
    let mut roles = three();
    assert_eq!(roles.hear(0, Heard::Silence), None);
    assert_eq!(roles.verdict(), Verdict::Primary(0));
    roles.hear(0, primary(1));
    assert_eq!((roles.verdict(), roles.changes()), (Verdict::Primary(0), 1));
}

#[test]
fn a_replica_that_was_promoted_takes_the_place_of_one_that_is_silent() {
    let mut roles = three();
    roles.hear(0, Heard::Silence);
    assert_eq!(roles.hear(2, primary(2)), Some(0));
    assert_eq!((roles.verdict(), roles.changes()), (Verdict::Primary(2), 2));
    assert!(!roles.is_replica(1), "it does not follow yet");
    roles.hear(1, standby(2));
    assert!(roles.is_replica(1));
}

#[test]
fn an_old_primary_that_comes_back_and_takes_writes_is_not_written_to() {
    let mut roles = three();
    roles.hear(0, Heard::Silence);
    roles.hear(1, primary(2));
    for heard in [primary(1), Heard::Silence, primary(1), primary(9)] {
        roles.hear(0, heard);
        assert_eq!(roles.verdict(), Verdict::Primary(1));
    }
    // Not even if there is no other.
    roles.hear(1, Heard::Silence);
    roles.hear(0, primary(1));
    assert_eq!(roles.verdict(), Verdict::Primary(1), "which is waited for");
}

#[test]
fn an_old_primary_that_follows_can_be_promoted_again() {
    let mut roles = three();
    roles.hear(0, Heard::Silence);
    roles.hear(1, primary(2));
    roles.hear(0, standby(1));
    assert!(roles.is_deposed(0) && !roles.is_replica(0), "of what was before the promotion");
    roles.hear(0, standby(2));
    assert!(!roles.is_deposed(0) && roles.is_replica(0));
    roles.hear(1, Heard::Silence);
    assert_eq!(roles.hear(0, primary(3)), Some(1));
    assert_eq!(roles.verdict(), Verdict::Primary(0));
}

#[test]
fn a_planned_change_leaves_a_replica_behind() {
    let mut roles = three();
    roles.hear(0, standby(1));
    assert_eq!(roles.verdict(), Verdict::Nobody);
    roles.hear(1, primary(2));
    assert_eq!(roles.verdict(), Verdict::Primary(1));
    roles.hear(0, standby(2));
    assert!(roles.is_replica(0) && !roles.is_deposed(0));
}

#[test]
fn while_two_take_writes_nobody_is_written_to() {
    let mut roles = three();
    assert_eq!(roles.hear(1, primary(2)), None);
    assert_eq!(roles.verdict(), Verdict::Split(0, 1));
    roles.hear(0, Heard::Silence);
    assert_eq!(roles.verdict(), Verdict::Primary(1));
    roles.hear(0, primary(1));
    assert_eq!(roles.verdict(), Verdict::Primary(1), "it was deposed");
}

#[test]
fn two_that_take_writes_from_the_start_are_refused_whatever_their_timelines() {
    let mut roles = Roles::new(2);
    roles.hear(0, primary(1));
    roles.hear(1, primary(2));
    assert_eq!(roles.verdict(), Verdict::Split(0, 1));
}

#[test]
fn one_that_takes_writes_and_was_not_promoted_later_is_not_believed() {
    let mut roles = three();
    roles.hear(0, Heard::Silence);
    assert_eq!(roles.hear(1, primary(1)), None);
    assert_eq!(roles.verdict(), Verdict::Nobody);
}

#[test]
fn a_server_of_another_system_is_none_of_these() {
    let mut roles = Roles::new(2);
    roles.hear(0, primary(1));
    let Heard::Said(mut other) = primary(9) else { panic!("it was said") };
    other.system = "8000".to_owned();
    roles.hear(1, Heard::Said(other));
    assert_eq!((roles.verdict(), roles.stranger()), (Verdict::Primary(0), Some(1)));
    assert!(!roles.is_replica(1));
}

#[test]
fn a_primary_that_was_put_back_to_an_older_state_is_not_written_to() {
    let mut roles = Roles::new(1);
    roles.hear(0, primary(3));
    assert_eq!(roles.verdict(), Verdict::Primary(0));
    roles.hear(0, primary(2));
    assert_eq!(roles.verdict(), Verdict::Nobody);
}

#[test]
fn one_whose_sessions_only_read_is_no_primary() {
    let mut roles = Roles::new(1);
    let Heard::Said(mut it) = primary(1) else { panic!("it was said") };
    it.takes_writes = false;
    roles.hear(0, Heard::Said(it));
    assert_eq!(roles.verdict(), Verdict::Nobody);
}

/// Whatever is said in whatever order: nobody below the timeline of the last primary, nobody
/// deposed and nobody of two is ever written to.
#[test]
fn nobody_that_was_overtaken_is_ever_written_to() {
    let dice = crate::routing::dice::Dice::new(Some(20_260_822));
    for _ in 0..2_000 {
        let mut roles = Roles::new(3);
        let mut highest = 0;
        for _ in 0..40 {
            let timeline = 1 + dice.below(4) as u32;
            let heard = match dice.below(3) {
                0 => Heard::Silence,
                1 => primary(timeline),
                _ => standby(timeline),
            };
            roles.hear(dice.below(3), heard);
            let Verdict::Primary(node) = roles.verdict() else { continue };
            assert!(!roles.is_deposed(node), "{roles:?}");
            let Some(it) = roles.said(node) else { continue };
            assert!(it.takes_writes, "{roles:?}");
            let others = (0..3).filter(|other| *other != node && roles.claims(*other));
            assert_eq!(others.count(), 0, "{roles:?}");
            assert!(it.timeline >= highest || roles.last_primary() == Some(node), "{roles:?}");
            highest = highest.max(it.timeline);
        }
    }
}

//! What every store must do, run on all of them: memory always, SQLite always, PostgreSQL where there is one.
//!
//! Not here: product rules (the core's own tests); only that what a step made is kept, once, in order.

mod albums;
mod author;
mod batches;
mod bystanders;
mod deliveries;
mod ends;
mod erasure;
mod events;
mod faults;
mod history;
mod inbound;
mod joints;
mod late;
mod lists;
mod parts;
mod places;
mod races;
mod rig;
mod roster;
mod rows;
mod staff;
mod swaps;

/// A module of tests for each store; each test gets a store of its own.
macro_rules! on_every_store {
    ($($group:ident :: $check:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $check() {
                super::$group::$check(super::places::memory()).await;
            })+
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $check() {
                super::$group::$check(super::places::sqlite()).await;
            })+
        }

        mod pg_postgres {
            $(#[tokio::test]
            async fn $check() {
                if let Some(place) = super::places::postgres().await {
                    super::$group::$check(place).await;
                }
            })+
        }
    };
}

on_every_store! {
    bystanders::others_speak_under_their_own_names,
    bystanders::who_wrote_it_edits_it,
    bystanders::others_press_nothing,
    bystanders::a_room_is_free_once_it_is_closed,
    bystanders::buttons_of_before_are_of_their_own_matter,
    bystanders::they_go_with_whose_request_it_was,
    inbound::a_message_opens_a_conversation,
    inbound::the_same_event_twice_is_one,
    inbound::a_thousand_at_once_are_one,
    inbound::an_address_finds_its_conversation,
    inbound::a_late_message_finds_its_conversation,
    inbound::another_is_opened_when_asked_for,
    inbound::numbers_have_no_gaps,
    inbound::edits_and_deletions_find_their_message,
    inbound::edits_go_where_the_message_is,
    inbound::replies_name_our_messages,
    inbound::desk_rooms_find_their_conversation,
    inbound::names_are_refreshed,
    inbound::the_log_says_why,
    albums::parts_join_the_first,
    albums::late_parts_are_messages,
    deliveries::cards_are_needed_once,
    deliveries::the_assistant_falls_silent,
    deliveries::held_words_are_released,
    deliveries::taken_back_words_are_cancelled,
    deliveries::permission_is_given_once,
    deliveries::held_deliveries_wait,
    ends::marks_go_forward,
    ends::an_effect_ends_once,
    ends::ends_say_how,
    ends::what_was_sent_is_linked,
    ends::a_lost_thread_is_unlinked,
    deliveries::lanes_are_in_order,
    joints::they_begin_together,
    joints::without_the_first_none_begins,
    joints::their_post_is_the_first_ones,
    joints::a_lost_thread_forgets_them,
    parts::what_is_there_is_known,
    parts::what_broke_off_is_linked,
    parts::what_arrives_after_the_end_is_linked,
    parts::what_arrives_after_an_erasure_is_linked,
    parts::what_is_taken_back_is_not_sent_on,
    parts::a_note_is_sent_on_to_desks_alone,
    parts::the_same_words_become_a_note,
    parts::the_rest_has_to_be_permitted,
    roster::a_thousand_claims_have_one_winner,
    roster::a_thousand_acceptances_have_one_winner,
    roster::loads_follow_the_stages,
    roster::misses_make_away,
    roster::presence_is_kept,
    roster::clocks_are_found,
    roster::stale_clocks_do_nothing,
    batches::a_poisoned_job_is_alone,
    batches::a_job_that_cannot_be_committed_is_alone,
    batches::nothing_is_acknowledged_when_nothing_is_stored,
    batches::conflicts_are_tried_again,
    batches::closing_answers_everybody,
    batches::nobody_need_wait,
    batches::commits_are_told_in_order,
    batches::jobs_share_commits,
    rows::a_restart_sees_the_same,
    rows::words_are_found,
    rows::tickets_are_made_once,
    rows::ticket_changes_are_kept,
    rows::shelves_keep_the_latest,
    swaps::a_value_is_swapped_once,
    swaps::in_one_batch_order_counts,
    swaps::messages_of_a_room_are_found,
    rows::quarantine_keeps_bytes,
    rows::tokens_are_found_by_hash,
    staff::accounts_and_logins_are_found,
    staff::what_is_kept_can_be_dropped,
    staff::of_many_who_replace_the_same_one_does,
    rows::files_are_kept,
    rows::replaced_content_is_no_edit,
    rows::the_audit_trail_is_chained,
    rows::counts_are_right,
    lists::conversations_are_listed,
    lists::labels_find_conversations,
    lists::people_are_found,
    lists::the_queue_is_in_order,
    lists::technicians_have_theirs,
    lists::waits_are_remembered,
    lists::requesters_see_less,
    erasure::nothing_of_the_erased_is_left,
    erasure::what_they_did_before_is_not_taken_in_again,
    erasure::what_was_under_way_brings_nothing_back,
    late::no_words_go_into_their_ticket,
    late::an_attempt_is_not_made_again,
    late::what_nobody_can_read_is_not_kept_for_them,
    late::what_was_said_aloud_is_known,
    history::a_batch_is_what_its_jobs_are,
    history::the_same_history_is_the_same_export,
}

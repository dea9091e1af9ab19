use super::*;

#[test]
fn a_sentence_becomes_a_clause() {
    for (sentence, shown) in [
        ("The VM is gone.", "the VM is gone"),
        ("VM web1 does not exist.", "VM web1 does not exist"),
        ("Node n1 is down.", "node n1 is down"),
        ("A VF.", "a VF"),
        ("Linux 5.14 or later.", "Linux 5.14 or later"),
        ("Low has 0 queue pairs.", "Low has 0 queue pairs"),
        ("NetworkManager has it.", "NetworkManager has it"),
        ("Web.server is its name.", "Web.server is its name"),
        ("There are more...", "there are more..."),
        ("Database has no vNIC.", "Database has no vNIC"),
        ("", ""),
    ] {
        assert_eq!(clause(sentence), shown);
    }
    assert_eq!(imperative("Run it. Then wait."), "run it. Then wait");
    assert_eq!(imperative("IOMMU groups."), "IOMMU groups");
}

#[test]
fn an_error_has_its_code_a_cause_and_a_hint_in_one_column() {
    let refused =
        Problem::new(Code::AdapterDown, &["ens1"], "Its state is down.").cause("link not ready");
    assert_eq!(
        problem(&refused, false),
        "error: adapter ens1 has no link, so its VFs have none [adapter_down]\n  \
           cause:  its state is down\n  \
           detail: link not ready\n  \
           hint:   run 'ip link set ens1 up'. If the adapter then has no carrier, check the cable and the \
         switch port\n"
    );
}

#[test]
fn a_need_is_shown_only_where_it_states_more_than_the_catalogue() {
    let usual = Problem::new(Code::AdapterDown, &["ens1"], "Its state is down.");
    assert!(!problem(&usual, false).contains("needed:"));
    let own = usual.needed("A link on both ports.");
    assert!(problem(&own, false).contains("\n  needed: a link on both ports\n"));
}

#[test]
fn the_documents_sentences_stay() {
    let text = problem(&Problem::new(Code::IntentNotFound, &["x"], "None."), false);
    assert!(
        text.starts_with(
            "error: Intent validation: Failed. Intent x not found. [Intent_not_found]\n"
        ),
        "{text}"
    );
}

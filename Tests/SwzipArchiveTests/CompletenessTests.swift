import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

/// What frameworks write, by names alone; Tests/loaders has them write it.
struct CompletenessTests {
  struct Framework: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Each of which is missed.
    let needed: [String]
    var others: [String] = []
    var place = "step-5"
  }

  private static func grid(_ counts: [Int], _ name: ([Int]) -> String) -> [String] {
    var all: [[Int]] = [[]]
    for count in counts { all = all.flatMap { start in (0..<count).map { start + [$0] } } }
    return all.map(name)
  }

  private static let frameworks = [
    Framework(
      testDescription: "DeepSpeed",
      needed: grid([2, 2]) { "global_step5/bf16_zero_pp_rank_\($0[0])_mp_rank_0\($0[1])_optim_states.pt" }
        + grid([2]) { "global_step5/mp_rank_0\($0[0])_model_states.pt" } + ["latest"], others: ["zero_to_fp32.py"]),
    Framework(
      testDescription: "experts",
      needed: grid([3, 2]) { "global_step5/layer_4_expert_\($0[0])_mp_rank_0\($0[1])_model_states.pt" }
        + grid([2]) { "global_step5/expp_rank_0_mp_rank_0\($0[0])_optim_states.pt" } + ["latest"]),
    Framework(
      testDescription: "Megatron",
      needed: grid([2, 2]) { "iter_0000005/mp_rank_0\($0[0])_00\($0[1])/model_optim_rng.pt" }
        + grid([2, 2]) { "iter_0000005/mp_rank_0\($0[0])_00\($0[1])/distrib_optim.pt" }
        + ["latest_checkpointed_iteration.txt"]),
    Framework(
      testDescription: "verl",
      needed: grid([4]) { "global_step_5/actor/model_world_size_4_rank_\($0[0]).pt" }
        + grid([4]) { "global_step_5/actor/extra_state_world_size_4_rank_\($0[0]).pt" }
        + ["latest_checkpointed_iteration.txt"], others: ["global_step_5/data.pt"]),
    Framework(
      testDescription: "Trainer",
      needed: [
        "model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "trainer_state.json",
        "training_args.bin",
      ],
      others: ["rng_state_1.pth", "config.json"], place: "checkpoint-5"),
    Framework(
      testDescription: "Trainer and FSDP",
      needed: ["pytorch_model_fsdp.bin", "optimizer.bin", "rng_state_0.pth", "trainer_state.json"],
      others: ["rng_state_1.pth", "training_args.bin", "scheduler.pt"], place: "checkpoint-5"),
    Framework(
      testDescription: "accelerate",
      needed: [
        "model.safetensors", "optimizer.bin", "optimizer_1.bin", "random_states_0.pkl", "custom_checkpoint_0.pkl",
      ],
      others: ["optimizer_2.bin", "scheduler.bin", "random_states_1.pkl", "custom_checkpoint_1.pkl"]),
    Framework(
      testDescription: "shards",
      needed: grid([3]) { "model-0000\($0[0] + 1)-of-00003.safetensors" } + ["model.safetensors.index.json"]),
    Framework(
      testDescription: "Lightning", needed: [".metadata", "meta.pt"], others: ["__0_0.distcp"], place: "last.ckpt"),
  ]

  private func content(_ name: String) -> [UInt8] {
    if name == "latest" { return Array("global_step5\n".utf8) }
    if name == "latest_checkpointed_iteration.txt" { return Array("5".utf8) }
    if name.hasSuffix(".safetensors") { return [2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8) }
    if name.hasSuffix(".index.json") {
      let shards = (1...3).map { #""\#($0)":"model-0000\#($0)-of-00003.safetensors""# }
      return Array(#"{"weight_map":{\#(shards.joined(separator: ","))}}"#.utf8)
    }
    return name.hasSuffix(".json") ? Array("{}".utf8) : [1]
  }

  private func check(_ names: [String], _ place: String) throws {
    let folder = TestFolder()
    for name in names { folder.writeDeep(place + "/" + name, content(name)) }
    try Completeness(CheckpointFiles(folder(place))).check()
  }

  @Test(arguments: frameworks) func eachFileIsMissed(_ framework: Framework) throws {
    let all = framework.needed + framework.others
    try check(all, framework.place)
    for name in framework.needed {
      #expect(rule { try check(all.filter { $0 != name }, framework.place) } == .incomplete, "\(name)")
    }
  }

  @Test func whatIsNoRanksIsLeftAlone() throws {
    try check(
      ["lora_rank_16.safetensors", "logs/rank_3.txt", "eval/rank_9.json", "layer_12.pt", "best-7.pt", "frank_1.pt"], "s"
    )
    try check(["training_args.bin", "model.safetensors"], "output")
    try check(["train-00000-of-00002.parquet", "data-00001-of-00002.bin.txt"], "s")
    // No number of any run: they cost no time either.
    try check(["mp_rank_99999999999999999999_model_states.pt", "a-00000-of-00000.safetensors"], "s")
    #expect(rule { try check(["zero_pp_rank_999999_mp_rank_999999_optim_states.pt"], "s") } == .incomplete)
  }

  /// The folder of a step, beside a pointer that says an earlier one, and is older.
  @Test func whatIsNotCommittedIsRefused() throws {
    let folder = TestFolder()
    folder.writeDeep("global_step7/mp_rank_00_model_states.pt", [1])
    func check() throws { try Completeness(CheckpointFiles(folder("global_step7"))).check() }
    try check()
    folder.write("latest", Array("global_step6".utf8))
    folder.setTime("latest", seconds: 1_700_000_000, nanoseconds: 0)
    #expect(rule { try check() } == .incomplete)
    folder.write("latest", Array("global_step8".utf8))
    folder.setTime("latest", seconds: 1_700_000_000, nanoseconds: 0)
    try check()
  }

  @Test func filesThatAreCutShort() throws {
    let folder = TestFolder()
    let whole: [String: [UInt8]] = [
      "a.json": Array(#"{"a":"}\"","b":[1,{}]}"#.utf8), "b.json": Array("7 ".utf8), "c.jsonl": [],
      "d.txt": Array("{".utf8),
      "m.safetensors": Array("GIF89a-like bytes".utf8), "m.bin": [1],
    ]
    func check() throws { try Completeness(CheckpointFiles(folder("s"))).check() }
    for (name, bytes) in whole { folder.writeDeep("s/" + name, bytes) }
    try check()
    for (name, bytes) in [
      ("a.json", Array(#"{"a":"}\"","b":[1,{}]"#.utf8)), ("b.json", []), ("m.safetensors", [1, 2]), ("m.bin", []),
    ] {
      folder.write("s/" + name, bytes)
      #expect(rule { try check() } == .incomplete, "\(name)")
      folder.write("s/" + name, whole[name] ?? [])
    }
    try check()
  }
}

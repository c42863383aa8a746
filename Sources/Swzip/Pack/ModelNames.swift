/// Names of the same tensor in files of different tools: those of Hugging Face's models as GGUF has them. A hint only: what
/// has another name is found by its content.
enum ModelNames {
  /// Parts of a name behind the number of its layer, or of one without.
  private static let layers: [String: String] = [
    // llama and its like
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.qkv_proj": "attn_qkv", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "mlp.gate": "ffn_gate_inp", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "block_sparse_moe.gate": "ffn_gate_inp",
    // BERT
    "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
    // GPT-2 and its like
    "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    "ln_1": "attn_norm", "ln_2": "ffn_norm",
  ]
  private static let others: [String: String] = [
    "embed_tokens": "token_embd", "lm_head": "output", "norm": "output_norm", "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm", "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd", "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
  ]
  private static let prefixes: Set<String> = [
    "model", "language_model", "transformer", "bert", "encoder", "0", "auto_model",
  ]
  private static let lists: Set<String> = ["layers", "layer", "h", "blocks", "block"]

  /// A name that the names of a tensor have in common; the name itself where it is none of these.
  static func common(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 16, let kind = parts.popLast(), kind == "weight" || kind == "bias" else { return name }
    while let first = parts.first, parts.count > 1, prefixes.contains(first) { parts.removeFirst() }
    if parts.count > 2, lists.contains(parts[0]), let number = Int(parts[1]),
      let known = layers[parts[2...].joined(separator: ".")]
    {
      return "blk.\(number).\(known).\(kind)"
    }
    return others[parts.joined(separator: ".")].map { "\($0).\(kind)" } ?? name
  }
}

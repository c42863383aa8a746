// Packing tensors that are in memory.
// snippet.hide
import Swzip

func packTensors(_ weight: [Float], _ bias: UnsafeRawBufferPointer) throws {
  // snippet.show
  let tensors = [
    PackTensor(name: "weight", elementType: .f32, shape: [512, 256], values: weight),
    // Memory of somebody else, which must not change before the call returns.
    PackTensor(name: "bias", elementType: .bf16, shape: [512], source: MemorySource(bias)),
  ]
  _ = try pack(tensors: tensors, metadata: ["format": "pt"], to: "model.safetensors.swz")
  // snippet.hide
}

// Embeddings of sentences by all-MiniLM-L6-v2, whose weights stay packed: only what is asked for is decoded.
//
//   swzip pack model.safetensors
//   swift run -c release embeddings model.safetensors.swz vocab.txt "A sentence." "Another one."
//
// prints 384 numbers for each sentence, as JSON: the same ones to the bit from the plain model.safetensors.
import Foundation
import Swzip

let arguments = CommandLine.arguments.dropFirst()
guard let path = arguments.first, let vocabulary = arguments.dropFirst().first else {
  print("embeddings MODEL VOCABULARY SENTENCE...")
  exit(64)
}
let weights: any Weights = path.hasSuffix(".swz") ? try Container(path: path) : try PlainFile(path: path)
let model = try MiniLM(weights)
let tokenizer = Tokenizer(vocabulary: try String(contentsOfFile: vocabulary, encoding: .utf8))
print(try arguments.dropFirst(2).map { try model.embedding(of: tokenizer.tokens(of: $0)) })

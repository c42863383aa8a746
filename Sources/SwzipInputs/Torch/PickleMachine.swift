internal import SwzipCore

/// What a pickle says.
struct Pickle {
  var objects: TorchObjects
  var value: PickleValue
  /// Where it ends in the file.
  var end: UInt64
  /// Its bytes, without those of texts and arrays that were stepped over.
  var byteCount: UInt64
}

/// Runs a pickle without executing anything: opcodes of protocols 0 to 5 (Lib/pickletools.py of CPython) move symbols
/// about, and calls are looked at, not made. Memory is bounded by `mostDepth` and by what `TorchObjects` takes.
struct PickleMachine {
  /// Values on the stack, and marks, at most.
  private static let mostDepth = 1 << 19

  private var reader: PickleReader
  private var stack: [PickleValue] = []
  /// Depths of the stack at which marks lie.
  private var marks: [Int] = []
  private var memo: [PickleValue] = []
  private var objects: TorchObjects
  private var stepCount = 0

  /// Reads the pickle at `offset`, which ends before `end`. Nil if it is damaged or unusual.
  static func run<Input: InputBytes>(
    _ window: InputWindow<Input>, at offset: UInt64, end: UInt64? = nil
  ) throws(SwzipError) -> Pickle? {
    do throws(PickleFault) {
      return try read(window, at: offset, end: end)
    } catch .input(let error) {
      throw error
    } catch {
      return nil
    }
  }

  /// The same, which says why it was not read. `keys`: keeps of dicts what has one of these, and numbers in lists, alone.
  static func read<Input: InputBytes>(
    _ window: InputWindow<Input>, at offset: UInt64, end: UInt64? = nil, keys: [String]? = nil
  ) throws(PickleFault) -> Pickle {
    let end = end ?? window.input.byteCount ?? UInt64(Limits.keptBytes)
    var machine = PickleMachine(
      reader: PickleReader(window, at: offset, end: end), objects: TorchObjects(keys: keys))
    return try machine.run()
  }

  private init(reader: PickleReader, objects: TorchObjects) { (self.reader, self.objects) = (reader, objects) }

  private mutating func run() throws(PickleFault) -> Pickle {
    while try step() {
      stepCount += 1
      objects.pickleByteCount = reader.readByteCount
    }
    return Pickle(objects: objects, value: try pop(), end: reader.offset, byteCount: reader.readByteCount)
  }

  /// Runs one opcode; false at the end.
  private mutating func step() throws(PickleFault) -> Bool {
    let opcode = try reader.byte()
    switch Unicode.Scalar(opcode) {
    case ".": return false  // STOP
    case "\u{80}": _ = try reader.byte()  // PROTO
    case "\u{95}": _ = try reader.integer(8)  // FRAME
    case "(":  // MARK
      guard marks.count < Self.mostDepth else { throw .unusual }
      marks.append(stack.count)
    case "0": _ = try pop()  // POP
    case "1": stack.removeSubrange(try popMark()...)  // POP_MARK
    case "2": try push(try top())  // DUP
    case "N": try push(.other)  // NONE
    case "\u{88}": try push(.boolean(true))  // NEWTRUE
    case "\u{89}": try push(.boolean(false))  // NEWFALSE
    case "J", "K", "M", "\u{8a}", "\u{8b}", "I", "L": try pushNumber(opcode)
    case "G":  // BINFLOAT
      _ = try reader.integer(8)
      try push(.other)
    case "F":  // FLOAT
      _ = try reader.line()
      try push(.other)
    case "X", "T", "B": try pushBytes(try reader.integer(4))  // BINUNICODE, BINSTRING, BINBYTES
    case "\u{8c}", "U", "C": try pushBytes(try reader.integer(1))  // SHORT_BINUNICODE, SHORT_BINSTRING, SHORT_BINBYTES
    case "\u{8d}", "\u{8e}", "\u{96}": try pushBytes(try reader.integer(8))  // BINUNICODE8, BINBYTES8, BYTEARRAY8
    case "V": try pushText(try reader.line())  // UNICODE
    case "S": try pushText(Self.unquoted(try reader.line()))  // STRING
    case "]", "}", "\u{8f}": try push(try objects.container())  // EMPTY_LIST, EMPTY_DICT, EMPTY_SET
    case ")": try push(try objects.tuple([]))  // EMPTY_TUPLE
    case "\u{85}", "\u{86}", "\u{87}": try pushTuple(from: stack.count - Int(opcode - 0x84))  // TUPLE1 to TUPLE3
    case "t": try pushTuple(from: try popMark())  // TUPLE
    case "l", "d", "\u{91}":  // LIST, DICT, FROZENSET
      let from = try popMark()
      try addItems(from: from, inPairs: opcode == UInt8(ascii: "d"), to: try objects.container())
    case "a", "s": try addBelow(opcode == UInt8(ascii: "s") ? 2 : 1)  // APPEND, SETITEM
    case "e", "u", "\u{90}":  // APPENDS, SETITEMS, ADDITEMS
      let from = try popMark()
      guard from > 0, from > floor else { throw .unusual }
      try addItems(from: from, inPairs: opcode == UInt8(ascii: "u"), to: stack[from - 1], replacing: from - 1)
    case "c": try push(global(try reader.line(), try reader.line()))  // GLOBAL
    case "\u{93}": try pushGlobal()  // STACK_GLOBAL
    case "R", "\u{81}": try call()  // REDUCE, NEWOBJ
    case "i", "o": try instance(of: opcode == UInt8(ascii: "i"))  // INST, OBJ
    case "\u{92}":  // NEWOBJ_EX: the keywords are dropped
      _ = try pop()
      try call()
    case "b": try build()  // BUILD
    case "Q": try push(try objects.storage(try pop()))  // BINPERSID
    case "P":  // PERSID: an id that is text
      _ = try reader.line()
      try push(.other)
    case "q": try put(try reader.integer(1))  // BINPUT
    case "r": try put(try reader.integer(4))  // LONG_BINPUT
    case "p": try put(UInt64(exactly: try reader.decimal() ?? -1) ?? .max)  // PUT
    case "\u{94}": try put(UInt64(memo.count))  // MEMOIZE
    case "h": try get(try reader.integer(1))  // BINGET
    case "j": try get(try reader.integer(4))  // LONG_BINGET
    case "g": try get(UInt64(exactly: try reader.decimal() ?? -1) ?? .max)  // GET
    default: throw .unusual
    }
    return true
  }

  // MARK: stack

  /// Nothing below the last mark may be taken.
  private var floor: Int { marks.last ?? 0 }

  private mutating func push(_ value: PickleValue) throws(PickleFault) {
    guard stack.count < Self.mostDepth else { throw .unusual }
    stack.append(value)
  }

  private mutating func pop() throws(PickleFault) -> PickleValue {
    guard stack.count > floor else { throw .unusual }
    return stack.removeLast()
  }

  private func top() throws(PickleFault) -> PickleValue {
    guard stack.count > floor, let value = stack.last else { throw .unusual }
    return value
  }

  private mutating func popMark() throws(PickleFault) -> Int {
    guard let mark = marks.popLast() else { throw .unusual }
    return mark
  }

  private mutating func put(_ index: UInt64) throws(PickleFault) {
    let value = try top()
    // Picklers number values as they come, so an index is below the number of opcodes so far.
    guard index <= UInt64(stepCount) else { throw .unusual }
    if index >= UInt64(memo.count) {
      let more = Int(index) + 1 - memo.count
      try objects.take(more, of: MemoryLayout<PickleValue>.stride)
      for _ in 0..<more { memo.append(.other) }
    }
    memo[Int(index)] = value
  }

  private mutating func get(_ index: UInt64) throws(PickleFault) {
    guard index < UInt64(memo.count) else { throw .unusual }
    try push(memo[Int(index)])
  }

  // MARK: values

  private mutating func pushNumber(_ opcode: UInt8) throws(PickleFault) {
    let number: Int64? =
      switch Unicode.Scalar(opcode) {
      case "J": try reader.signed(4)  // BININT
      case "K": Int64(try reader.integer(1))  // BININT1
      case "M": Int64(try reader.integer(2))  // BININT2
      case "\u{8a}": try reader.signed(try reader.integer(1))  // LONG1
      case "\u{8b}": try reader.signed(try reader.integer(4))  // LONG4
      default: try reader.decimal()  // INT, LONG; the latter ends in L, no matter
      }
    try push(number.map(PickleValue.integer) ?? .other)
  }

  /// A short text becomes symbols' names; of a long one only the place is kept, where it may be the values of an array.
  private mutating func pushBytes(_ count: UInt64) throws(PickleFault) {
    if count <= UInt64(PickleReader.mostTextBytes) {
      try pushText(try reader.bytes(Int(count)))
    } else {
      try push(try objects.data(at: try reader.skip(count), byteCount: count))
    }
  }

  private mutating func pushText(_ text: ArraySlice<UInt8>) throws(PickleFault) { try push(try objects.text(text)) }

  private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    text.count >= 2 ? text.dropFirst().dropLast() : text
  }

  private mutating func pushTuple(from start: Int) throws(PickleFault) {
    guard start >= floor else { throw .unusual }
    let tuple = try objects.tuple(stack[start...])
    stack.removeSubrange(start...)
    try push(tuple)
  }

  // MARK: containers

  /// Moves what lies above `start` into `target`, which replaces it, or the value at `replacing` too.
  private mutating func addItems(
    from start: Int, inPairs: Bool, to target: PickleValue, replacing: Int? = nil
  ) throws(PickleFault) {
    let count = stack.count - start
    guard !inPairs || count % 2 == 0 else { throw .unusual }
    for index in stride(from: start, to: stack.count, by: inPairs ? 2 : 1) {
      if inPairs {
        try objects.add(stack[index + 1], key: stack[index], to: target)
      } else {
        try objects.add(stack[index], to: target)
      }
    }
    stack.removeSubrange((replacing ?? start)...)
    try push(target)
  }

  /// APPEND and SETITEM: the `count` values on top go into the one below.
  private mutating func addBelow(_ count: Int) throws(PickleFault) {
    let start = stack.count - count
    guard start > floor else { throw .unusual }
    try addItems(from: start, inPairs: count == 2, to: stack[start - 1], replacing: start - 1)
  }

  // MARK: objects

  private func global(_ module: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> PickleValue {
    guard module.count + name.count <= 80 else { return .other }
    let module = String(decoding: module, as: UTF8.self)
    let name = String(decoding: name, as: UTF8.self)
    if let function = TorchFunction(module: module, name: name) { return .function(function) }
    guard ["torch", "torch.storage", "torch.cuda"].contains(module) else { return .other }
    return TorchType(name: name).map(PickleValue.type) ?? .other
  }

  private mutating func pushGlobal() throws(PickleFault) {
    guard case .text(let name, let nameCount) = try pop(), case .text(let module, let moduleCount) = try pop() else {
      throw .unusual
    }
    try push(global(objects.text(module, moduleCount), objects.text(name, nameCount)))
  }

  private mutating func call() throws(PickleFault) {
    let arguments = try pop()
    try push(try objects.call(try pop(), arguments))
  }

  /// An instance of a class of protocols 0 and 1, whose arguments lie above the mark; so does the class if it has no name
  /// in the opcode.
  private mutating func instance(of isNamed: Bool) throws(PickleFault) {
    let start = try popMark()
    if isNamed { for _ in 0..<2 { _ = try reader.line() } }
    guard isNamed || start < stack.count else { throw .unusual }
    let arguments = try objects.tuple(stack[(start + (isNamed ? 0 : 1))...])
    stack.removeSubrange(start...)
    try push(try objects.call(.other, arguments))
  }

  /// The state of an array says all of it; that of an object is one of its items; that of a tensor tells nothing more.
  private mutating func build() throws(PickleFault) {
    let state = try pop()
    switch try top() {
    case .dtype(let number): objects.setOrder(of: number, state)
    case .array(let number): try buildArray(number, state)
    case let target: try objects.add(state, key: .other, to: target)
    }
  }

  private mutating func buildArray(_ number: UInt32, _ state: PickleValue) throws(PickleFault) {
    guard case .container(let dictionary) = state else { return objects.setArray(number, state) }
    // joblib leaves the values behind the opcode, after a count of padding and that.
    let padding = objects.isPadded(dictionary) ? try reader.byte() : 0
    _ = try reader.skip(UInt64(padding))
    guard let byteCount = objects.setArray(number, dictionary, at: reader.offset) else { throw .unusual }
    _ = try reader.skip(byteCount)
  }
}

;; Between a module that OPA compiled and its host: what has to call the guest, in WebAssembly, so that the guest can be
;; suspended below it. Compiled by tools/build-opa-adapter.ts; the other half is engines/opa/opa-host.ts.
(module
  ;; Length of a document that the host has: 0 is the data, 1 the input, 2 the result of a builtin, 3 the probe.
  (import "host" "length" (func $length (param i32) (result i32)))
  ;; Writes the document to the address.
  (import "host" "write" (func $write (param i32 i32)))
  ;; Hands the text at the address, of that length, to the host: 0 the result, 1 the builtins, 2 the entry points.
  (import "host" "read" (func $read (param i32 i32 i32)))
  ;; Calls a builtin with so many arguments, each a text and its length. Answers the length of the result, below zero when it is
  ;; undefined.
  (import "host" "call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))

  ;; Told once for an instance: the module's values are laid out as the reader lays them out.
  (import "host" "prove" (func $prove (param i32)))

  (import "guest" "functions" (table 19 funcref))
  ;;  0 opa_malloc           1 opa_value_dump     2 opa_value_parse     3 opa_json_parse          4 opa_json_dump
  ;;  5 opa_heap_ptr_get     6 opa_heap_ptr_set   7 opa_eval            8 opa_eval_ctx_new        9 opa_eval_ctx_set_input
  ;; 10 opa_eval_ctx_set_data 11 opa_eval_ctx_set_entrypoint            12 eval                   13 opa_eval_ctx_get_result
  ;; 14 builtins             15 entrypoints         16 read               17 isAlike               18 lengthOf
  (type $get (func (result i32)))
  (type $set (func (param i32)))
  (type $map (func (param i32) (result i32)))
  (type $parse (func (param i32 i32) (result i32)))
  (type $put (func (param i32 i32)))
  (type $compare (func (param i32 i32 i32) (result i32)))
  (type $eval (func (param i32 i32 i32 i32 i32 i32 i32) (result i32)))

  ;; Set once, before the state is kept that every evaluation starts from.
  (global $isAlike (mut i32) (i32.const 0))
  (global $data (mut i32) (i32.const 0))
  (global $base (mut i32) (i32.const 0))

  (func $copied (param $what i32) (param $size i32) (result i32)
    (local $at i32)
    ;; With room for what the reader needs behind it.
    (local.set $at (call_indirect (type $map) (i32.add (local.get $size) (i32.const 16)) (i32.const 0)))
    (call $write (local.get $what) (local.get $at))
    (local.get $at))

  (func $length_of (param $text i32) (result i32)
    (call_indirect (type $map) (local.get $text) (i32.const 18)))

  (func $tell (param $what i32) (param $text i32)
    (call $read (local.get $what) (local.get $text) (call $length_of (local.get $text))))

  ;; What the module says of itself.
  (func (export "describe")
    (call $tell (i32.const 1)
      (call_indirect (type $map) (call_indirect (type $get) (i32.const 14)) (i32.const 4)))
    (call $tell (i32.const 2)
      (call_indirect (type $map) (call_indirect (type $get) (i32.const 15)) (i32.const 4))))

  ;; Whether documents can be read by the reader. Leaves nothing behind.
  (func (export "probe")
    (local $heap i32)
    (local $size i32)
    (local.set $heap (call_indirect (type $get) (i32.const 5)))
    (local.set $size (call $length (i32.const 3)))
    (global.set $isAlike
      (call_indirect (type $compare)
        (local.get $heap) (call $copied (i32.const 3) (local.get $size)) (local.get $size) (i32.const 17)))
    (call $prove (global.get $isAlike)))

  (func (export "load")
    (local $size i32)
    (local $heap i32)
    (local.set $size (call $length (i32.const 0)))
    (local.set $heap (call_indirect (type $get) (i32.const 5)))
    (if (global.get $isAlike)
      (then
        (global.set $data
          (call_indirect (type $parse)
            (call $copied (i32.const 0) (local.get $size)) (local.get $size) (i32.const 16)))))
    (if (i32.eqz (global.get $data))
      (then
        (call_indirect (type $set) (local.get $heap) (i32.const 6))
        (global.set $data
          (call_indirect (type $parse)
            (call $copied (i32.const 0) (local.get $size)) (local.get $size) (i32.const 3)))))
    (if (i32.eqz (global.get $data)) (then (unreachable)))
    (global.set $base (call_indirect (type $get) (i32.const 5))))

  ;; Address of the input, in a heap that has nothing else.
  (func $input (param $size i32) (result i32)
    (call_indirect (type $set) (global.get $base) (i32.const 6))
    (call $copied (i32.const 1) (local.get $size)))

  ;; `isOneCall`: the module has opa_eval (ABI 1.2). `hasSteps`: it has what came before.
  (func (export "evaluate") (param $size i32) (param $entrypoint i32) (param $isOneCall i32) (param $hasSteps i32)
    (local $input i32) (local $context i32)
    (if (i32.and (global.get $isAlike) (local.get $hasSteps))
      (then
        (local.set $input
          (call_indirect (type $parse) (call $input (local.get $size)) (local.get $size) (i32.const 16)))))
    (if (i32.eqz (local.get $input))
      (then
        (local.set $input (call $input (local.get $size)))
        (if (local.get $isOneCall)
          (then
            (call $tell (i32.const 0)
              (call_indirect (type $eval)
                (i32.const 0) (local.get $entrypoint) (global.get $data) (local.get $input) (local.get $size)
                (call_indirect (type $get) (i32.const 5)) (i32.const 0)
                (i32.const 7)))
            (return)))
        (local.set $input
          (call_indirect (type $parse) (local.get $input) (local.get $size) (i32.const 3)))))
    (local.set $context (call_indirect (type $get) (i32.const 8)))
    (call_indirect (type $put) (local.get $context) (local.get $input) (i32.const 9))
    (call_indirect (type $put) (local.get $context) (global.get $data) (i32.const 10))
    (call_indirect (type $put) (local.get $context) (local.get $entrypoint) (i32.const 11))
    (if (call_indirect (type $map) (local.get $context) (i32.const 12)) (then (unreachable)))
    (call $tell (i32.const 0)
      (call_indirect (type $map)
        (call_indirect (type $map) (local.get $context) (i32.const 13)) (i32.const 4))))

  (func $text (param $value i32) (result i32)
    (call_indirect (type $map) (local.get $value) (i32.const 1)))

  (func $value (param $size i32) (result i32)
    (if (i32.lt_s (local.get $size) (i32.const 0)) (then (return (i32.const 0))))
    (call_indirect (type $parse)
      (call $copied (i32.const 2) (local.get $size)) (local.get $size) (i32.const 2)))

  (func (export "opa_builtin0") (param $id i32) (param i32) (result i32)
    (call $value (call $call (local.get $id) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
  (func (export "opa_builtin1")
    (param $id i32) (param i32) (param $a i32) (result i32)
    (local.set $a (call $text (local.get $a)))
    (call $value (call $call (local.get $id) (i32.const 1)
      (local.get $a) (call $length_of (local.get $a))
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0))))
  (func (export "opa_builtin2")
    (param $id i32) (param i32) (param $a i32) (param $b i32) (result i32)
    (local.set $a (call $text (local.get $a)))
    (local.set $b (call $text (local.get $b)))
    (call $value (call $call (local.get $id) (i32.const 2)
      (local.get $a) (call $length_of (local.get $a))
      (local.get $b) (call $length_of (local.get $b))
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0))))
  (func (export "opa_builtin3")
    (param $id i32) (param i32) (param $a i32) (param $b i32) (param $c i32) (result i32)
    (local.set $a (call $text (local.get $a)))
    (local.set $b (call $text (local.get $b)))
    (local.set $c (call $text (local.get $c)))
    (call $value (call $call (local.get $id) (i32.const 3)
      (local.get $a) (call $length_of (local.get $a))
      (local.get $b) (call $length_of (local.get $b))
      (local.get $c) (call $length_of (local.get $c))
      (i32.const 0) (i32.const 0))))
  (func (export "opa_builtin4")
    (param $id i32) (param i32) (param $a i32) (param $b i32) (param $c i32) (param $d i32) (result i32)
    (local.set $a (call $text (local.get $a)))
    (local.set $b (call $text (local.get $b)))
    (local.set $c (call $text (local.get $c)))
    (local.set $d (call $text (local.get $d)))
    (call $value (call $call (local.get $id) (i32.const 4)
      (local.get $a) (call $length_of (local.get $a))
      (local.get $b) (call $length_of (local.get $b))
      (local.get $c) (call $length_of (local.get $c))
      (local.get $d) (call $length_of (local.get $d))))))

import fs from 'fs'; import wabtInit from 'wabt';
const b=fs.readFileSync(process.argv[2]); const m=new WebAssembly.Module(b);
console.log(b.length, WebAssembly.Module.imports(m), WebAssembly.Module.exports(m));
const i=new WebAssembly.Instance(m,{env:new Proxy({}, {get:()=>()=>0})}); console.log('pages', i.exports.memory.buffer.byteLength/65536, 'heap', i.exports.__heap_base?.value);
const w=await wabtInit(); const t=w.readWasm(b,{readDebugNames:false, bulk_memory:true, sign_extension:true, mutable_globals:true, sat_float_to_int:true, reference_types:false, multi_value:false, simd:false}).toText({});
console.log(t.match(/\(start.*|\(table.*|\(memory.*|\(global.*/g), 'call_indirect', (t.match(/call_indirect/g)||[]).length, 'memory.copy',(t.match(/memory.copy/g)||[]).length,'fill',(t.match(/memory.fill/g)||[]).length);

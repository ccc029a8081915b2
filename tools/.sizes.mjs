import fs from 'fs'; import wabtInit from 'wabt';
const w=await wabtInit(); const t=w.readWasm(fs.readFileSync(process.argv[2]),{bulk_memory:true,sign_extension:true}).toText({});
const parts=t.split(/\n  \(func /).slice(1).map(x=>[x.split('\n')[0].slice(0,60), x.split('\n').length, (x.match(/\(local .*/)||[''])[0].length]); parts.sort((a,b)=>b[1]-a[1]); console.log(parts.slice(0,20));

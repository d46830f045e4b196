# What the modules for Windows have in common: long paths, texts that are written whole, and the share that both machines
# reach. It was never run on Windows.

$ErrorActionPreference = 'Stop'

Function Get-LongPath {
    # The form that Windows takes as it is: no limit of 260, nothing trimmed, and no dots that mean anything.
    param ([string]$Path)
    if ($Path.StartsWith('\\')) { return '\\?\UNC\' + $Path.Substring(2) }
    return '\\?\' + $Path
}

Function Get-TextDigest {
    # SHA-256 of lines, each with a line feed.
    param ([string[]]$Lines)
    $sha = [Security.Cryptography.SHA256]::Create()
    $bytes = [Text.Encoding]::UTF8.GetBytes((($Lines | ForEach-Object -Process { "$_`n" }) -join ''))
    try { return [BitConverter]::ToString($sha.ComputeHash($bytes)).Replace('-', '').ToLowerInvariant() }
    finally { $sha.Dispose() }
}

Function Write-Whole {
    # New contents appear by rename, as text with line feeds.
    param ([string]$Path, [string[]]$Lines)
    $null = [IO.Directory]::CreateDirectory((Get-LongPath -Path (Split-Path -Path $Path -Parent)))
    $text = ($Lines | ForEach-Object -Process { "$_`n" }) -join ''
    $new = Get-LongPath -Path "$Path.new"
    [IO.File]::WriteAllText($new, $text, (New-Object Text.UTF8Encoding -ArgumentList $false))
    if ([IO.File]::Exists((Get-LongPath -Path $Path))) { [IO.File]::Delete((Get-LongPath -Path $Path)) }
    [IO.File]::Move($new, (Get-LongPath -Path $Path))
}

Function Test-Folder {
    # Why folders cannot be moved: each has a plain word, and a path with a drive, below its top. Empty: they can.
    param ([Collections.IDictionary]$Folders)
    foreach ($part in $Folders.Keys) {
        if ($part -cnotmatch '^[a-z0-9][a-z0-9-]{0,63}$') { return "The folder's name $part is no plain word." }
        if ($Folders[$part] -notmatch '^[A-Za-z]:\\[^\\:*?"<>|]' -or $Folders[$part].Split([char[]]'\') -contains '..') {
            return "The folder $part has no path with a drive."
        }
    }
    return ''
}

Function Connect-Share {
    # The share by an account of its own: what is logged in by PSRP may not use the network in its own name.
    param ([Collections.IDictionary]$Of)
    if ($Of.share_user) { $null = New-SmbMapping -RemotePath $Of.share -UserName $Of.share_user -Password $Of.share_password }
}

Function Disconnect-Share {
    param ([Collections.IDictionary]$Of)
    if ($Of.share_user) { Remove-SmbMapping -RemotePath $Of.share -Force -ErrorAction SilentlyContinue }
}

Export-ModuleMember -Function @('Get-LongPath', 'Get-TextDigest', 'Write-Whole', 'Test-Folder', 'Connect-Share', 'Disconnect-Share')
